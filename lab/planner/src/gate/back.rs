// SPDX-License-Identifier: GPL-2.0

//! The way back. A VM comes back to a host that has accepted it, so only what has changed meanwhile
//! can be refused: workarounds that a default VM has forgotten, and registers that it came without.
//! That does not depend on what it came with, so it is judged once for all VMs that came with the
//! same registers.

use std::array;
use std::collections::HashMap;
use std::hash::Hash;

use fw_regs_policy::{Register, Retention};

use super::{Cause, Losses};
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
        let mut changed = host.to(self.kind).fresh();
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
    pub before: &'a [HostOffers],
    /// Which of `to` each of `before` was.
    pub places: &'a [usize],
}

/// Hosts by what matters of them for VMs of one shape.
pub struct Classes {
    /// By group: its class.
    from: Vec<usize>,
    to: Vec<usize>,
    /// By class of `from`: what it offers of registers that can have changed.
    offers: Vec<Values>,
    /// By class of `to`: what VMs show there that have changed.
    changed: Vec<Values>,
    /// The classes of `to` and `from` between which the way back is lost.
    lost: Vec<(usize, usize)>,
    null_promises: bool,
}

impl Classes {
    pub fn new(shape: &Shape, fleet: &Fleet, null_promises: bool) -> Self {
        let mut before = vec![None; fleet.to.len()];
        for (place, host) in fleet.places.iter().zip(fleet.before) {
            before[*place] = Some(shape.changed(host));
        }
        let keys = fleet.to.iter().zip(before);
        let (to, keys) = classes(keys.map(|(host, before)| (shape.changed(host), before)));
        let (changed, before): (Vec<Values>, Vec<Option<Values>>) = keys.into_iter().unzip();
        let all = changed.iter().chain(before.iter().flatten());
        let can_change: [bool; Register::ALL.len()] =
            array::from_fn(|place| all.clone().any(|values| values[place].is_some()));
        let (from, offers) = classes(fleet.from.iter().map(|host| {
            let mut offers = host.to(shape.kind).by_register();
            let unchanged = offers.iter_mut().zip(can_change).filter(|(_, it)| !it);
            unchanged.for_each(|(offer, _)| *offer = None);
            offers
        }));
        let mut classes = Self {
            from,
            to,
            offers,
            changed,
            lost: Vec::new(),
            null_promises,
        };
        for (to, before) in before.iter().enumerate() {
            for from in 0..classes.offers.len() {
                let was_lost =
                    before.is_some_and(|before| classes.causes(&before, from).next().is_some());
                let is_lost = classes.causes(&classes.changed[to], from).next().is_some();
                if is_lost && !was_lost {
                    classes.lost.push((to, from));
                }
            }
        }
        classes
    }

    /// Why hosts of a class refuse what a VM shows.
    fn causes<'a>(&'a self, values: &'a Values, from: usize) -> impl Iterator<Item = Cause> + 'a {
        let offers = self.offers[from];
        let registers = Register::ALL.into_iter().zip(values).zip(offers);
        registers.filter_map(|((register, value), offer)| {
            let value = (*value)?;
            let reason = refusal(register, value, offer, self.null_promises)?;
            Some(Cause::new(register.into(), value, reason, offer))
        })
    }

    /// Why VMs cannot come back from some groups of hosts to others.
    pub fn losses(&self, to: &[usize], from: &[usize]) -> Losses {
        let mut losses = Losses::new();
        if self.lost.is_empty() {
            return losses;
        }
        let to = members(to, &self.to, self.changed.len());
        let from = members(from, &self.from, self.offers.len());
        for (to_class, from_class) in &self.lost {
            let (to, from) = (&to[*to_class], &from[*from_class]);
            if to.is_empty() || from.is_empty() {
                continue;
            }
            for cause in self.causes(&self.changed[*to_class], *from_class) {
                let between = losses.entry(cause).or_default();
                between.to.extend(to);
                between.back_to.extend(from);
            }
        }
        for between in losses.values_mut() {
            for groups in [&mut between.to, &mut between.back_to] {
                groups.sort_unstable();
                groups.dedup();
            }
        }
        losses
    }
}

/// The class of each key, and the key of each class.
fn classes<K: Eq + Hash + Copy>(keys: impl Iterator<Item = K>) -> (Vec<usize>, Vec<K>) {
    let (mut places, mut all) = (HashMap::new(), Vec::new());
    let class = |key| {
        *places.entry(key).or_insert_with(|| {
            all.push(key);
            all.len() - 1
        })
    };
    (keys.map(class).collect(), all)
}

/// Those groups by class.
fn members(groups: &[usize], class: &[usize], classes: usize) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); classes];
    for group in groups {
        members[class[*group]].push(*group);
    }
    members
}
