// SPDX-License-Identifier: GPL-2.0

//! Tells where VMs can move to, without booting anything. The verdicts are those of the kernel's own
//! policy, compiled for this machine.

mod floor;
mod gate;
mod give;
mod json;
mod moves;
mod session;
mod table;
mod text;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use planner::error::{fault, render, Help};
use planner::{check, files};

use session::Session;

/// Tells without booting where VMs can move to, and what new VMs may be given.
#[derive(Parser)]
#[command(version)]
enum Cli {
    /// Tell which hosts accept each dump, and why others refuse it
    Moves(moves::MovesArgs),
    /// Tell the best that every host can keep: what new VMs may be given to move anywhere
    Floor(floor::FloorArgs),
    /// Tell what a new VM must be given to be like a saved one, on all hosts
    Pins(floor::PinsArgs),
    /// Tell which VMs an update of hosts keeps from moving, or from coming back; the exit status is 1
    /// if it does
    MayMove(gate::GateArgs),
    /// Compare plans with what booted hosts answered
    Check {
        /// A matrix.json
        matrix: PathBuf,
    },
}

const MATRIX_HELP: &str = "pass a matrix.json, as `make matrix` writes it";

/// How a command ended: the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Good = 0,
    /// The answer is no.
    Bad = 1,
    /// Something could not be read, or done.
    Trouble = 2,
}

fn main() -> ExitCode {
    let mut session = Session::new(io::stderr());
    let outcome = run(Cli::parse(), &mut session);
    session.finish();
    let outcome = outcome.unwrap_or_else(|error| {
        eprintln!("{}", render(&error));
        Outcome::Trouble
    });
    let outcome = if session.all_was_read() {
        outcome
    } else {
        Outcome::Trouble
    };
    ExitCode::from(outcome as u8)
}

fn run(cli: Cli, session: &mut Session) -> Result<Outcome> {
    let out = &mut BufWriter::new(io::stdout().lock());
    let good = |result| written(result).map(|()| Outcome::Good);
    let outcome = match cli {
        Cli::Moves(args) => good(moves::moves(out, &args, session)),
        Cli::Floor(args) => good(floor::floor(out, &args, session)),
        Cli::Pins(args) => good(floor::pins(out, &args, session)),
        Cli::MayMove(args) => gate::may_move(out, &args, session),
        Cli::Check { matrix } => compare(out, &matrix),
    }?;
    written(out.flush().map_err(Into::into))?;
    Ok(outcome)
}

/// Whoever reads the answers may stop reading.
fn written(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        result => result,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn compare(out: &mut impl Write, path: &Path) -> Result<Outcome> {
    let matrix = files::matrix(path).help(MATRIX_HELP)?;
    let path = path.display();
    let differences = check::differences(&matrix).map_err(|error| {
        fault(
            format!("{path}: {error}"),
            "a matrix has one cell for each kind of VM, dump and host",
        )
    })?;
    let mut tell = || -> Result<()> {
        for difference in &differences {
            writeln!(out, "{difference}")?;
        }
        let (moves, count) = (matrix.cells.len(), differences.len());
        Ok(writeln!(
            out,
            "{path}: {moves} moves, {count} planned differently"
        )?)
    };
    written(tell())?;
    Ok(match differences.is_empty() {
        true => Outcome::Good,
        false => Outcome::Bad,
    })
}

#[cfg(test)]
mod tests;
