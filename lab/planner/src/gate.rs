// SPDX-License-Identifier: GPL-2.0

//! A fleet before and after an update: what VMs can do no longer.
//!
//! A VM is on any host of before that accepts it. It moves to a host of after, and back. What has
//! never been possible is not lost: a move to a host that was there before, by name, is compared with
//! the same move then.

use std::collections::{BTreeMap, HashMap};

use fixedbitset::FixedBitSet;
use fw_regs_policy::Reason;
use serde::Serialize;

use crate::matrix::Vm;
use crate::{Dumps, HostOffers, Hosts, Kind, Question, Refused, Verdicts};

mod back;

use back::{Classes, Shape};

/// What is asked of all VMs.
pub struct Gate {
    from: Hosts,
    to: Hosts,
    /// What the hosts of `to` were before, those that were there: each a group of its own.
    before: Hosts,
    /// Which group of `to` each of them is.
    places: Vec<usize>,
    null_promises: bool,
    classes: HashMap<Shape, Classes>,
}

/// A register that keeps VMs from coming back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause {
    pub id: u64,
    pub value: u64,
    /// The order is that of the kernel's checks.
    pub reason: crate::reason::Reason,
    /// None: the register is unknown there.
    pub offer: Option<u64>,
}

/// From and to which hosts, by group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Between {
    pub to: FixedBitSet,
    pub back_to: FixedBitSet,
}

/// A register that keeps VMs from moving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostMoves {
    pub id: u64,
    pub value: u64,
    pub reason: crate::reason::Reason,
    /// To which hosts, by group.
    pub to: FixedBitSet,
    /// What these offer, most hosts first; no more than were asked for.
    pub offers: Vec<(Option<u64>, Vec<usize>)>,
}

/// Why VMs cannot come back.
pub type Losses = BTreeMap<Cause, Between>;

/// Which kinds of VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kinds {
    Any,
    Strict,
    Default,
}

/// What VMs that are equal lose.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Whatever the kind of the VM.
    pub moves: Vec<LostMoves>,
    pub strict_back: Losses,
    pub default_back: Losses,
    /// No host of before accepts such a VM: whether it can come back cannot be told.
    pub homeless: bool,
}

impl Gate {
    /// For dumps of these kinds.
    pub fn new(
        from: Vec<HostOffers>,
        to: Vec<HostOffers>,
        kinds: &[Kind],
        null_promises: bool,
    ) -> Self {
        let kinds = kinds.iter().copied().collect();
        let old: HashMap<&str, &HostOffers> = from.iter().map(|host| (&*host.name, host)).collect();
        let was = |host: &HostOffers| {
            let was = old.get(&*host.name);
            was.map(|was| (was.offers, was.ssbs_hidden, was.kernel))
        };
        let to = Hosts::by(to, &kinds, |host| (host.kernel, was(host)));
        let groups = to.groups().iter().enumerate();
        let before = groups.filter_map(|(place, names)| {
            let was = *old.get(&*names[0])?;
            Some((place, was.clone()))
        });
        let (places, before): (Vec<usize>, Vec<HostOffers>) = before.unzip();
        Self {
            before: Hosts::by(before, &kinds, |host| host.name.clone()),
            from: Hosts::by(from, &kinds, |host| host.kernel),
            to,
            places,
            null_promises,
            classes: HashMap::new(),
        }
    }

    /// The hosts before and after.
    pub fn hosts(&self) -> (&Hosts, &Hosts) {
        (&self.from, &self.to)
    }

    /// What VMs lose that are like this one. Of the different offers that refuse a register so many
    /// are told.
    pub fn judge(&mut self, dumps: &Dumps, most: usize) -> Lost {
        let homes = self.from.accepting(dumps, self.null_promises);
        let question = Question {
            null_promises: self.null_promises,
            most: usize::MAX,
        };
        let after = Verdicts::new(&self.to, dumps, question);
        // A move that was refused before is not lost.
        let mut counts = FixedBitSet::with_capacity(self.to.groups().len());
        counts.insert_range(..);
        self.places.iter().for_each(|place| counts.remove(*place));
        for host in self.before.accepting(dumps, self.null_promises).ones() {
            counts.insert(self.places[host]);
        }

        let moves = after
            .refusals
            .iter()
            .map(|it| self.moves(it, &counts, most));
        let mut lost = Lost {
            moves: moves.filter(|moves| !moves.to.is_clear()).collect(),
            homeless: homes.is_clear(),
            ..Lost::default()
        };
        counts.intersect_with(&set(&self.to, &after.accepted));
        lost.strict_back = self.back(dumps, Vm::Strict, &counts, &homes);
        lost.default_back = self.back(dumps, Vm::Default, &counts, &homes);
        lost
    }

    /// Of what is refused, what is lost.
    fn moves(&self, refused: &Refused, counts: &FixedBitSet, most: usize) -> LostMoves {
        let mut moves = LostMoves {
            id: refused.id,
            value: refused.value,
            reason: refused.reason.into(),
            to: FixedBitSet::with_capacity(counts.len()),
            offers: Vec::new(),
        };
        for offered in &refused.offers {
            let groups = self.to.members(offered).iter().copied();
            let mut groups = groups.filter(|group| counts[*group]).peekable();
            if moves.offers.len() < most && groups.peek().is_some() {
                let groups: Vec<usize> = groups.collect();
                moves.to.extend(groups.iter().copied());
                moves.offers.push((offered.offer, groups));
            } else {
                moves.to.extend(groups);
            }
        }
        moves
    }

    /// Why VMs cannot come back from hosts that accept them, to hosts where they may have been.
    fn back(
        &mut self,
        dumps: &Dumps,
        vm: Vm,
        accepted: &FixedBitSet,
        homes: &FixedBitSet,
    ) -> Losses {
        let shape = Shape::new(dumps, vm);
        let fleet = back::Fleet {
            from: self.from.examples(),
            to: self.to.examples(),
            before: self.before.examples(),
            places: &self.places,
        };
        let classes = self.classes.entry(shape);
        let classes =
            classes.or_insert_with_key(|shape| Classes::new(shape, &fleet, self.null_promises));
        classes.losses(accepted, homes)
    }
}

/// Some groups of hosts.
fn set(hosts: &Hosts, groups: &[usize]) -> FixedBitSet {
    let mut set = FixedBitSet::with_capacity(hosts.groups().len());
    set.extend(groups.iter().copied());
    set
}

impl Kinds {
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Strict => Vm::Strict.name(),
            Self::Default => Vm::Default.name(),
        }
    }
}

impl Lost {
    /// Why VMs cannot come back; what both kinds of VM lose alike is told once.
    pub fn ways_back(&self) -> impl Iterator<Item = (Kinds, &Cause, &Between)> {
        let (strict, default) = (&self.strict_back, &self.default_back);
        let same = |other: &Losses, cause, between| other.get(cause) == Some(between);
        let of_strict = strict.iter().map(move |(cause, between)| {
            let kinds = match same(default, cause, between) {
                true => Kinds::Any,
                false => Kinds::Strict,
            };
            (kinds, cause, between)
        });
        let of_default = default.iter();
        let of_default = of_default.filter(move |(cause, between)| !same(strict, cause, between));
        of_strict.chain(of_default.map(|(cause, between)| (Kinds::Default, cause, between)))
    }
}

impl Cause {
    fn new(id: u64, value: u64, reason: Reason, offer: Option<u64>) -> Self {
        let reason = reason.into();
        Self {
            id,
            value,
            reason,
            offer,
        }
    }
}

#[cfg(test)]
mod tests;
