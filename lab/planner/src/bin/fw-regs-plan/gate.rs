// SPDX-License-Identifier: GPL-2.0

//! `fw-regs-plan may-move`: which VMs an update keeps from moving, or from coming back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use planner::matrix::Vm;
use planner::{Between, Cause, Dumps, Gate, Losses, Lost};
use serde::Serialize;

use crate::session::Session;
use crate::{json, table, written, Outcome};

#[derive(Args)]
pub struct GateArgs {
    /// The hosts as they are now: files, directories or patterns, as those of `moves`
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub from: Vec<PathBuf>,
    /// The hosts as they will be: those with the name of one that is now are compared with it
    #[arg(long, value_name = "FILE", num_args = 1.., required = true)]
    pub to: Vec<PathBuf>,
    /// The VMs, as those of `moves`; without them, a fresh one of each host that is now
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub dumps: Vec<PathBuf>,
    /// Name every host and every VM, however many there are
    #[arg(long)]
    pub all: bool,
    /// Print JSON Lines, for programs
    #[arg(long)]
    pub json: bool,
    /// VMs ignore registers that a host does not know where they promise nothing
    #[arg(long)]
    pub null_promises: bool,
}

/// What is lost in one way, by all VMs together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub way: Way,
    /// Which VMs; both kinds where it is the same for them.
    pub kinds: Vec<&'static str>,
    pub cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    Move,
    ComeBack,
}

/// Who loses it: VMs by name, and between which hosts, by group.
#[derive(Default)]
pub struct Losers<'a> {
    pub vms: Vec<&'a str>,
    pub to: BTreeSet<usize>,
    pub back_to: BTreeSet<usize>,
}

/// How it goes with all VMs.
#[derive(Debug, Default)]
pub struct Tally {
    pub vms: usize,
    pub stay: usize,
    pub strict_stay_away: usize,
    pub default_stay_away: usize,
    pub homeless: usize,
}

pub fn may_move(out: &mut impl Write, args: &GateArgs, session: &mut Session) -> Result<Outcome> {
    let (from, to) = (session.hosts(&args.from)?, session.hosts(&args.to)?);
    let dumps = match args.dumps.is_empty() {
        true => Dumps::group(from.iter().map(|host| host.fresh_vm()).collect()),
        false => session.dumps(&args.dumps)?,
    };
    let kinds: Vec<_> = Dumps::kinds(&dumps).into_iter().collect();
    let mut gate = Gate::new(from, to, &kinds, args.null_promises);
    let (mut rows, mut tally) = (BTreeMap::<Row, Losers>::new(), Tally::default());
    for dumps in &dumps {
        let lost = gate.judge(dumps);
        tally.add(dumps, &lost);
        match args.json {
            true => written(json::lost(out, gate.hosts(), dumps, &lost).map_err(Into::into))?,
            false => add(&mut rows, dumps, &lost),
        }
    }
    if !args.json {
        written(table::lost(out, gate.hosts(), &rows, &tally, args.all).map_err(Into::into))?;
    }
    Ok(tally.outcome())
}

/// What these VMs lose, with the ways in which the kinds of VM lose the same put together.
pub fn losses(lost: &Lost) -> impl Iterator<Item = (Row, &Between)> {
    let (strict, default) = (&lost.strict_back, &lost.default_back);
    let same = |other: &Losses, cause, between| other.get(cause) == Some(between);
    let both = [Vm::Strict.name(), Vm::Default.name()];
    let row = |way, kinds: &[&'static str], cause: &Cause| Row {
        way,
        kinds: kinds.to_vec(),
        cause: cause.clone(),
    };
    let moves = lost.moves.iter();
    let moves = moves.map(move |(cause, between)| (row(Way::Move, &both, cause), between));
    let strict_back = strict.iter().map(move |(cause, between)| {
        let kinds = if same(default, cause, between) {
            &both[..]
        } else {
            &both[..1]
        };
        (row(Way::ComeBack, kinds, cause), between)
    });
    let default_back = default
        .iter()
        .filter(move |(cause, between)| !same(strict, cause, between));
    let default_back =
        default_back.map(move |(cause, between)| (row(Way::ComeBack, &both[1..], cause), between));
    moves.chain(strict_back).chain(default_back)
}

fn add<'a>(rows: &mut BTreeMap<Row, Losers<'a>>, dumps: &'a Dumps, lost: &Lost) {
    for (row, between) in losses(lost) {
        let losers = rows.entry(row).or_default();
        losers.vms.extend(dumps.names.iter().map(String::as_str));
        losers.to.extend(&between.to);
        losers.back_to.extend(&between.back_to);
    }
}

impl Tally {
    fn add(&mut self, dumps: &Dumps, lost: &Lost) {
        let count = |is_meant: bool| if is_meant { dumps.names.len() } else { 0 };
        self.vms += count(true);
        self.stay += count(!lost.moves.is_empty());
        self.strict_stay_away += count(!lost.strict_back.is_empty());
        self.default_stay_away += count(!lost.default_back.is_empty());
        self.homeless += count(lost.homeless);
    }

    pub fn outcome(&self) -> Outcome {
        match (
            self.homeless,
            self.stay + self.strict_stay_away + self.default_stay_away,
        ) {
            (0, 0) => Outcome::Good,
            (0, _) => Outcome::Bad,
            _ => Outcome::Trouble,
        }
    }
}

#[cfg(test)]
mod tests;
