// SPDX-License-Identifier: GPL-2.0

//! `fw-regs-plan may-move`: which VMs an update keeps from moving, or from coming back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use fixedbitset::FixedBitSet;
use planner::reason::Reason;
use planner::registers::Id;
use planner::{Dumps, Gate, Kinds, Lost};
use serde::Serialize;

use crate::moves::AnswerArgs;
use crate::session::Session;
use crate::{json, table, text, written, Outcome};

/// How many values of a register have rows of their own where not all are asked for.
const ROWS: usize = 10;

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
    #[command(flatten)]
    pub how: AnswerArgs,
}

/// What VMs lose, by the register's value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub way: Way,
    pub kinds: Kinds,
    pub id: Id,
    pub reason: Reason,
    pub value: Value,
}

/// Of a register some values are told, and that there are others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    This(u64),
    Others,
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
    pub to: FixedBitSet,
    pub back_to: FixedBitSet,
    /// What hosts offer: some of it.
    pub offers: BTreeSet<Option<u64>>,
}

/// What all VMs lose.
#[derive(Default)]
pub struct Table<'a> {
    pub rows: BTreeMap<Row, Losers<'a>>,
    /// Whether all values are asked for, and all names.
    pub all: bool,
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
    let how = &args.how;
    let (from, to) = (session.hosts(&args.from)?, session.hosts(&args.to)?);
    let dumps = match args.dumps.is_empty() {
        true => Dumps::group(from.iter().map(|host| host.fresh_vm()).collect()),
        false => session.dumps(&args.dumps)?,
    };
    let mut gate = Gate::new(from, to, &Dumps::kinds(&dumps), how.null_promises);
    let mut tally = Tally::default();
    let mut table = Table {
        all: how.all,
        ..Table::default()
    };
    let most = if how.json { usize::MAX } else { text::MOST };
    session.begin_answers(dumps.len());
    for dumps in &dumps {
        session.answered();
        let lost = gate.judge(dumps, most);
        tally.add(dumps, &lost);
        match how.json {
            true => written(json::lost(out, gate.hosts(), dumps, &lost).map_err(Into::into))?,
            false => table.add(dumps, &lost),
        }
    }
    session.finish();
    if !how.json {
        written(table::lost(out, gate.hosts(), &table, &tally).map_err(Into::into))?;
    }
    Ok(tally.outcome())
}

impl<'a> Table<'a> {
    fn add(&mut self, dumps: &'a Dumps, lost: &Lost) {
        for moves in &lost.moves {
            let losers = self.losers(
                dumps,
                Row {
                    way: Way::Move,
                    kinds: Kinds::Any,
                    id: moves.id,
                    reason: moves.reason,
                    value: Value::This(moves.value),
                },
            );
            losers.to.union_with(&moves.to);
            losers
                .offers
                .extend(moves.offers.iter().map(|(offer, _)| *offer));
        }
        for (kinds, cause, between) in lost.ways_back() {
            let losers = self.losers(
                dumps,
                Row {
                    way: Way::ComeBack,
                    kinds,
                    id: cause.id,
                    reason: cause.reason,
                    value: Value::This(cause.value),
                },
            );
            losers.to.union_with(&between.to);
            losers.back_to.union_with(&between.back_to);
            losers.offers.insert(cause.offer);
        }
    }

    /// The losers of a row, with these VMs among them. The values of a register beyond some share
    /// a row.
    fn losers(&mut self, dumps: &'a Dumps, mut row: Row) -> &mut Losers<'a> {
        if !self.all && !self.rows.contains_key(&row) {
            let first = Row {
                value: Value::This(0),
                ..row.clone()
            };
            let last = Row {
                value: Value::Others,
                ..row.clone()
            };
            if self.rows.range(first..=last).count() >= ROWS {
                row.value = Value::Others;
            }
        }
        let losers = self.rows.entry(row).or_default();
        let names = dumps.names.iter().map(String::as_str);
        let known = losers.vms.last() == dumps.names.last().map(String::as_str).as_ref();
        losers.vms.extend(names.filter(|_| !known));
        losers
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
