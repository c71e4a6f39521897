// SPDX-License-Identifier: GPL-2.0

//! `lab plan`: where VMs can move to, told without booting anything. The verdicts are those of the
//! kernel's own policy, compiled for this machine.

mod json;
mod text;

use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use planner::{Hosts, Kind, Moves, NoFloor, Question};

use crate::base::error::fault;
use crate::base::progress;
use crate::judge::plans;
use crate::model::fleet::{file, grouped};

/// How many different offers are told where not all are asked for.
const MOST: usize = 3;

#[derive(Subcommand)]
pub enum Plan {
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
pub struct MovesArgs {
    /// Hosts and their offers: JSON Lines, or a matrix.json
    #[arg(long, value_name = "FILE")]
    hosts: PathBuf,
    /// Dumps: JSON Lines, a matrix.json, or what `fw_regs_vmm dump` printed
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
pub struct FloorArgs {
    /// Hosts and their offers: JSON Lines, or a matrix.json
    #[arg(long, value_name = "FILE")]
    hosts: PathBuf,
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

/// Carries a command out. `false` if the plans are wrong.
pub fn run(plan: Plan) -> Result<bool> {
    let out = &mut BufWriter::new(io::stdout().lock());
    match plan {
        Plan::Moves(args) => written(moves(out, &args))?,
        Plan::Floor(args) => written(floor(out, &args))?,
        Plan::Check { matrix } => return check(&matrix),
    }
    written(out.flush().map_err(Into::into))?;
    Ok(true)
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

fn moves(out: &mut impl Write, args: &MovesArgs) -> Result<()> {
    let (hosts, dumps) = (file::hosts(&args.hosts)?, file::dumps(&args.dumps)?);
    let (hosts, dumps) = grouped(hosts, dumps);

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
        let moves = Moves::new(&hosts, dumps, question);
        match args.json {
            true => json::moves(out, &hosts, dumps, &moves, args.all)?,
            false => text::moves(out, &hosts, dumps, &moves, args.all)?,
        }
        let count = dumps.names.len();
        tally.dumps += count;
        tally.accepted += count * moves.hosts;
        tally.nowhere += if moves.hosts == 0 { count } else { 0 };
    }
    if !args.json {
        text::tally(out, &tally)?;
    }
    Ok(())
}

fn floor(out: &mut impl Write, args: &FloorArgs) -> Result<()> {
    let kind = Kind {
        psci_0_2: true,
        ssbs_visible: !args.ssbs_hidden,
    };
    let hosts = file::hosts(&args.hosts)?.into_iter();
    let hosts = Hosts::new(hosts.map(|host| host.host).collect(), &[kind].into());
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

fn check(path: &Path) -> Result<bool> {
    let matrix = file::matrix(path)?;
    let path = path.display();
    let differences = plans::differences(&matrix).map_err(|error| {
        fault(
            format!("{path}: {error}"),
            "a matrix has one cell for each kind of VM, dump and host",
        )
    })?;
    for difference in &differences {
        progress::say(difference);
    }
    let moves = matrix.cells.len();
    progress::say(format!(
        "{path}: {moves} moves, {} planned differently",
        differences.len()
    ));
    Ok(differences.is_empty())
}

#[cfg(test)]
mod tests;
