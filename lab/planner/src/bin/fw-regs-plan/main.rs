// SPDX-License-Identifier: GPL-2.0

//! Tells where VMs can move to, without booting anything. The verdicts are those of the kernel's own
//! policy, compiled for this machine.

mod json;
mod session;
mod text;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser};
use planner::error::{fault, render};
use planner::{check, files, Dumps, Hosts, Kind, NoFloor, Question, Verdicts};

use session::Session;

/// How many different offers are told where not all are asked for.
const MOST: usize = 3;

/// Tells without booting where VMs can move to, and what new VMs may be given.
#[derive(Parser)]
#[command(version)]
enum Cli {
    /// Tell which hosts accept each dump, and why others refuse it
    Moves(MovesArgs),
    /// Tell the best that every host can keep: what new VMs may be given to move anywhere
    Floor(FloorArgs),
    /// Compare plans with what booted hosts answered
    Check {
        /// A matrix.json
        matrix: PathBuf,
    },
}

#[derive(Args)]
struct MovesArgs {
    /// Hosts and their offers: files, directories or patterns of JSON Lines, matrix.json, or fresh VMs
    /// as Firecracker's fingerprints or `fw_regs_vmm dump` show them
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    hosts: Vec<PathBuf>,
    /// Dumps: the same forms
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    dumps: Vec<PathBuf>,
    /// Name every host and every offer, however many there are
    #[arg(long)]
    all: bool,
    /// Print JSON Lines, for programs
    #[arg(long)]
    json: bool,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    null_promises: bool,
}

#[derive(Args)]
struct FloorArgs {
    /// Hosts and their offers: files, directories or patterns, as those of `moves`
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    hosts: Vec<PathBuf>,
    /// For VMs from which SSBS is hidden on every host
    #[arg(long)]
    ssbs_hidden: bool,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    null_promises: bool,
    /// Tell people what the lines mean and what hosts offer, instead of the lines
    #[arg(long)]
    explain: bool,
}

/// How it went with all dumps.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    dumps: usize,
    different_dumps: usize,
    hosts: usize,
    different_hosts: usize,
    accepted: usize,
    /// Dumps that no host accepts.
    nowhere: usize,
}

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
    match cli {
        Cli::Moves(args) => written(moves(out, &args, session))?,
        Cli::Floor(args) => written(floor(out, &args, session))?,
        Cli::Check { matrix } => return compare(&matrix),
    }
    written(out.flush().map_err(Into::into))?;
    Ok(Outcome::Good)
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

fn moves(out: &mut impl Write, args: &MovesArgs, session: &mut Session) -> Result<()> {
    let (hosts, dumps) = (session.hosts(&args.hosts)?, session.dumps(&args.dumps)?);
    let hosts = Hosts::new(hosts, &Dumps::kinds(&dumps));

    let mut tally = Tally {
        hosts: hosts.count(),
        different_hosts: hosts.groups().len(),
        different_dumps: dumps.len(),
        ..Tally::default()
    };
    let question = Question {
        null_promises: args.null_promises,
        most: if args.all { usize::MAX } else { MOST },
    };
    for dumps in &dumps {
        let verdicts = Verdicts::new(&hosts, dumps, question);
        match args.json {
            true => json::moves(out, &hosts, dumps, &verdicts, args.all)?,
            false => text::moves(out, &hosts, dumps, &verdicts, args.all)?,
        }
        let count = dumps.names.len();
        tally.dumps += count;
        tally.accepted += count * verdicts.hosts;
        tally.nowhere += if verdicts.hosts == 0 { count } else { 0 };
    }
    if !args.json {
        text::tally(out, &tally)?;
    }
    Ok(())
}

fn floor(out: &mut impl Write, args: &FloorArgs, session: &mut Session) -> Result<()> {
    let kind = Kind {
        psci_0_2: true,
        ssbs_visible: !args.ssbs_hidden,
    };
    let hosts = Hosts::new(session.hosts(&args.hosts)?, &[kind].into());
    let floor = planner::floor(&hosts, kind, args.null_promises);
    let floor = floor.map_err(|none| no_floor(&hosts, &none))?;
    if args.explain {
        text::floor(out, &hosts, &floor)?;
        return Ok(());
    }
    for bound in &floor {
        let (id, value) = (u64::from(bound.register), bound.promise);
        writeln!(out, "{id:#018x} {value:#x}")?;
    }
    Ok(())
}

fn no_floor(hosts: &Hosts, none: &NoFloor) -> anyhow::Error {
    let name = none.register.name();
    let stranger = hosts.names(hosts.members(none.strangers)).next();
    let others = match none.strangers.hosts {
        1 => "does not".to_owned(),
        hosts => format!("and {} more do not", hosts - 1),
    };
    fault(
        format!(
            "there is no floor: {} {others} know {name}, which VMs of other hosts have",
            stranger.unwrap_or_default()
        ),
        if none.can_be_nothing {
            "leave those hosts out; or use --null-promises, if your VMM leaves out what promises \
             nothing or has KVM ignore it"
        } else {
            "leave those hosts out"
        },
    )
}

fn compare(path: &Path) -> Result<Outcome> {
    let matrix = files::matrix(path)?;
    let path = path.display();
    let differences = check::differences(&matrix).map_err(|error| {
        fault(
            format!("{path}: {error}"),
            "a matrix has one cell for each kind of VM, dump and host",
        )
    })?;
    for difference in &differences {
        eprintln!("{difference}");
    }
    let moves = matrix.cells.len();
    eprintln!(
        "{path}: {moves} moves, {} planned differently",
        differences.len()
    );
    Ok(match differences.is_empty() {
        true => Outcome::Good,
        false => Outcome::Bad,
    })
}

#[cfg(test)]
mod tests;
