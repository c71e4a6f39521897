// SPDX-License-Identifier: GPL-2.0

//! A fleet before and after an update: what VMs can do no longer.
//!
//! A VM is on any host of before that accepts it. It moves to a host of after, and back. What has
//! never been possible is not lost: a move to a host that was there before, by name, is compared with
//! the same move then.

use std::collections::{BTreeMap, HashMap, HashSet};

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
    /// By group of `to`: which of `from` its hosts were, if they were there.
    was: Vec<Option<usize>>,
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
        kinds: &HashSet<Kind>,
        null_promises: bool,
    ) -> Self {
        let from = Hosts::by(from, kinds, |host| host.kernel);
        let groups = from.groups().iter().enumerate();
        let places =
            groups.flat_map(|(place, names)| names.iter().map(move |name| (&**name, place)));
        let places: HashMap<&str, usize> = places.collect();
        let place = |name: &str| places.get(name).copied();
        let to = Hosts::by(to, kinds, |host| (host.kernel, place(&host.name)));
        let was = to.groups().iter().map(|names| place(&names[0])).collect();
        Self {
            from,
            to,
            was,
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
        let question = |most| Question {
            null_promises: self.null_promises,
            most,
        };
        let homes = Verdicts::new(&self.from, dumps, question(0)).accepted;
        let after = Verdicts::new(&self.to, dumps, question(usize::MAX));
        // A move that was refused before is not lost.
        let was = self.was.iter().enumerate();
        let counts = was.filter(|(_, was)| was.is_none_or(|was| homes[was]));
        let mut counts: FixedBitSet = counts.map(|(group, _)| group).collect();
        counts.grow(self.was.len());

        let moves = after
            .refusals
            .iter()
            .map(|it| self.moves(it, &counts, most));
        let mut lost = Lost {
            moves: moves.filter(|moves| !moves.to.is_clear()).collect(),
            homeless: homes.is_clear(),
            ..Lost::default()
        };
        counts.intersect_with(&after.accepted);
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
            let groups = self.to.members(offered).filter(|group| counts[*group]);
            if moves.offers.len() < most && groups.clone().next().is_some() {
                moves.offers.push((offered.offer, groups.clone().collect()));
            }
            moves.to.extend(groups);
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
            was: &self.was,
        };
        let classes = self.classes.entry(shape);
        let classes =
            classes.or_insert_with_key(|shape| Classes::new(shape, &fleet, self.null_promises));
        classes.losses(accepted, homes)
    }
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
