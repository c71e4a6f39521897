// SPDX-License-Identifier: GPL-2.0

//! What was saved from VMs, grouped so that equal VMs are judged once.

use std::collections::hash_map::Entry;
use std::collections::HashMap;

/// What decides about a VM's offers, besides its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Its vCPUs have `KVM_ARM_VCPU_PSCI_0_2`.
    pub psci_0_2: bool,
    /// It sees `ID_AA64PFR1_EL1.SSBS` on hosts that have it.
    pub ssbs_visible: bool,
}

/// A saved VM.
#[derive(Debug, Clone)]
pub struct Dump {
    pub name: String,
    pub kind: Kind,
    /// By id; each id once.
    pub registers: Vec<(u64, u64)>,
}

/// Saved VMs that differ by nothing but their names.
pub struct Dumps {
    pub names: Vec<String>,
    pub registers: Vec<(u64, u64)>,
    pub kind: Kind,
}

impl Dumps {
    /// Puts those that are equal together, in the order of the first of each.
    pub fn group(dumps: Vec<Dump>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut places = HashMap::new();
        for dump in dumps {
            let kind = dump.kind;
            let place = places.entry((dump.registers, kind));
            let place = match place {
                Entry::Occupied(place) => *place.get(),
                Entry::Vacant(place) => {
                    groups.push(Self {
                        names: Vec::new(),
                        registers: place.key().0.clone(),
                        kind,
                    });
                    *place.insert(groups.len() - 1)
                }
            };
            groups[place].names.push(dump.name);
        }
        groups
    }
}
