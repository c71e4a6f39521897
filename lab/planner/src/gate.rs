// SPDX-License-Identifier: GPL-2.0

//! A fleet before and after an update: what VMs can do no longer.
//!
//! A VM is on any host of before that accepts it. It moves to a host of after, and back. What has
//! never been possible is not lost: a move to a host that was there before, by name, is compared with
//! the same move then.

use std::collections::{BTreeMap, HashMap};

use fw_regs_policy::Reason;

use crate::matrix::Vm;
use crate::{Dumps, HostOffers, Hosts, Kind, Question, Verdicts};

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

/// A register that keeps VMs from moving, or from coming back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    pub id: u64,
    pub value: u64,
    /// The order is that of the kernel's checks.
    pub reason: crate::reason::Reason,
    /// None: the register is unknown there.
    pub offer: Option<u64>,
}

/// Between which hosts, by group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Between {
    pub to: Vec<usize>,
    /// Where the VM comes back to; empty where it does not get so far.
    pub back_to: Vec<usize>,
}

/// What becomes impossible, and why.
pub type Losses = BTreeMap<Cause, Between>;

/// What VMs that are equal lose.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Moves, whatever the kind of the VM.
    pub moves: Losses,
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
        let examples = to.examples().iter().enumerate();
        let before =
            examples.filter_map(|(place, host)| Some((place, (*old.get(&*host.name)?).clone())));
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

    /// What VMs lose that are like this one.
    pub fn judge(&mut self, dumps: &Dumps) -> Lost {
        let verdicts = |hosts, most| {
            let question = Question {
                null_promises: self.null_promises,
                most,
            };
            Verdicts::new(hosts, dumps, question)
        };
        let homes = verdicts(&self.from, 0).accepted;
        let after = verdicts(&self.to, usize::MAX);
        // A move that was refused before is not lost.
        let mut counts = vec![true; self.to.groups().len()];
        self.places.iter().for_each(|place| counts[*place] = false);
        for host in verdicts(&self.before, 0).accepted {
            counts[self.places[host]] = true;
        }

        let mut lost = Lost {
            homeless: homes.is_empty(),
            ..Lost::default()
        };
        for refused in &after.refusals {
            for offered in &refused.offers {
                let groups = self.to.members(offered).iter();
                let groups: Vec<usize> = groups.copied().filter(|group| counts[*group]).collect();
                if !groups.is_empty() {
                    let cause =
                        Cause::new(refused.id, refused.value, refused.reason, offered.offer);
                    let between = lost.moves.entry(cause).or_default();
                    between.to.extend(groups);
                }
            }
        }

        let accepted = after.accepted.into_iter();
        let accepted: Vec<usize> = accepted.filter(|group| counts[*group]).collect();
        lost.strict_back = self.back(dumps, Vm::Strict, &accepted, &homes);
        lost.default_back = self.back(dumps, Vm::Default, &accepted, &homes);
        lost
    }

    /// Why VMs cannot come back from hosts that accept them, to hosts where they may have been.
    fn back(&mut self, dumps: &Dumps, vm: Vm, accepted: &[usize], homes: &[usize]) -> Losses {
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
