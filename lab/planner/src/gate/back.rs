// SPDX-License-Identifier: GPL-2.0

//! The way back. A VM comes back to a host that has accepted it, so only what has changed meanwhile
//! can be refused: workarounds that a default VM has forgotten, and registers that it came without.
//! That does not depend on what it came with, so it is judged once for all VMs that came with the
//! same registers.

use std::array;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use fixedbitset::FixedBitSet;
use fw_regs_policy::{Register, Retention};

use super::{Between, Cause, Losses};
use crate::matrix::Vm;
use crate::offers::{refusal, Values};
use crate::{Dumps, HostOffers, Kind};

/// All that matters of a VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    kind: Kind,
    vm: Vm,
    /// By register: whether it came with it.
    came_with: [bool; Register::ALL.len()],
}

impl Shape {
    pub fn new(dumps: &Dumps, vm: Vm) -> Self {
        Self {
            kind: dumps.kind,
            vm,
            came_with: Register::ALL.map(|it| dumps.registers.value(it.into()).is_some()),
        }
    }

    /// What a VM shows on a host that is not what it came with.
    fn changed(&self, host: &HostOffers) -> Values {
        let vm = self.vm.on(host.kernel);
        let mut changed = host.to(self.kind).fresh().by_register();
        let registers = Register::ALL.into_iter().zip(self.came_with);
        for (place, (register, came_with)) in registers.enumerate() {
            let is_forgotten = register.retention(vm == Vm::Strict) == Retention::Forgotten;
            if came_with && !is_forgotten {
                changed[place] = None;
            }
        }
        changed
    }
}

/// One host of each group.
pub struct Fleet<'a> {
    pub from: &'a [HostOffers],
    pub to: &'a [HostOffers],
    /// Which of `from` each of `to` was, if it was there.
    pub was: &'a [Option<usize>],
}

/// Hosts by what matters of them for VMs of one shape. Nearly all have equals.
pub struct Classes {
    /// By class: its groups.
    from: Vec<FixedBitSet>,
    to: Vec<FixedBitSet>,
    causes: Vec<Cause>,
    lost: Vec<LostWay>,
}

/// A way back that is lost.
struct LostWay {
    /// The classes.
    to: usize,
    from: usize,
    causes: Vec<usize>,
}

impl Classes {
    pub fn new(shape: &Shape, fleet: &Fleet, null_promises: bool) -> Self {
        let before = |was: &Option<usize>| was.map(|was| shape.changed(&fleet.from[was]));
        let keys = fleet.to.iter().zip(fleet.was);
        let (to, changed) = classes(keys.map(|(host, was)| (shape.changed(host), before(was))));
        let all = changed
            .iter()
            .flat_map(|(now, before)| [Some(now), before.as_ref()]);
        let all = all.flatten();
        let can_change: [bool; Register::ALL.len()] =
            array::from_fn(|place| all.clone().any(|values| values[place].is_some()));
        let (from, offers) = classes(fleet.from.iter().map(|host| {
            let mut offers = host.to(shape.kind).by_register();
            let unchanged = offers.iter_mut().zip(can_change).filter(|(_, it)| !it);
            unchanged.for_each(|(offer, _)| *offer = None);
            offers
        }));

        let (mut lost, mut places) = (Vec::new(), HashMap::new());
        for (to, (now, before)) in changed.iter().enumerate() {
            for (from, offers) in offers.iter().enumerate() {
                let causes = causes(now, offers, null_promises);
                let was_lost = |before| !self::causes(before, offers, null_promises).is_empty();
                if causes.is_empty() || before.as_ref().is_some_and(was_lost) {
                    continue;
                }
                let causes = causes.into_iter().map(|cause| {
                    let next = places.len();
                    *places.entry(cause).or_insert(next)
                });
                let causes = causes.collect();
                lost.push(LostWay { to, from, causes });
            }
        }
        let mut causes: Vec<(Cause, usize)> = places.into_iter().collect();
        causes.sort_by_key(|(_, place)| *place);
        Self {
            from,
            to,
            causes: causes.into_iter().map(|(cause, _)| cause).collect(),
            lost,
        }
    }

    /// Why VMs cannot come back from some groups of hosts to others.
    pub fn losses(&self, to: &FixedBitSet, from: &FixedBitSet) -> Losses {
        let meets = |groups: &FixedBitSet, class: &FixedBitSet| !class.is_disjoint(groups);
        let is_meant: [Vec<bool>; 2] = [
            self.to.iter().map(|class| meets(to, class)).collect(),
            self.from.iter().map(|class| meets(from, class)).collect(),
        ];
        // By cause, the classes.
        let mut found = vec![[BTreeSet::new(), BTreeSet::new()]; self.causes.len()];
        for lost in &self.lost {
            if is_meant[0][lost.to] && is_meant[1][lost.from] {
                for cause in &lost.causes {
                    found[*cause][0].insert(lost.to);
                    found[*cause][1].insert(lost.from);
                }
            }
        }
        let some = |groups: &FixedBitSet, all: &[FixedBitSet], classes: &BTreeSet<usize>| {
            let mut some = FixedBitSet::with_capacity(groups.len());
            classes
                .iter()
                .for_each(|class| some.union_with(&all[*class]));
            some.intersect_with(groups);
            some
        };
        let found = self.causes.iter().zip(&found);
        let found = found.filter(|(_, [classes, _])| !classes.is_empty());
        let losses = found.map(|(cause, [to_classes, from_classes])| {
            let between = Between {
                to: some(to, &self.to, to_classes),
                back_to: some(from, &self.from, from_classes),
            };
            (cause.clone(), between)
        });
        losses.collect()
    }
}

/// Why hosts that offer that refuse what a VM shows.
fn causes(values: &Values, offers: &Values, null_promises: bool) -> Vec<Cause> {
    let registers = Register::ALL.into_iter().zip(values).zip(offers);
    let causes = registers.filter_map(|((register, value), offer)| {
        let value = (*value)?;
        let reason = refusal(register, value, *offer, null_promises)?;
        Some(Cause::new(register.into(), value, reason, *offer))
    });
    causes.collect()
}

/// The groups of each class, and its key.
fn classes<K: Eq + Hash + Copy>(
    keys: impl ExactSizeIterator<Item = K>,
) -> (Vec<FixedBitSet>, Vec<K>) {
    let groups = keys.len();
    let (mut places, mut classes, mut all) = (HashMap::new(), Vec::new(), Vec::new());
    for (group, key) in keys.enumerate() {
        let class = *places.entry(key).or_insert_with(|| {
            classes.push(FixedBitSet::with_capacity(groups));
            all.push(key);
            all.len() - 1
        });
        classes[class].insert(group);
    }
    (classes, all)
}
