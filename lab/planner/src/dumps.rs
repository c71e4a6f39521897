// SPDX-License-Identifier: GPL-2.0

//! What was saved from VMs, grouped so that equal VMs are judged once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::lines::Registers;

/// What decides about a VM's offers, besides its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Its vCPUs have `KVM_ARM_VCPU_PSCI_0_2`.
    pub psci_0_2: bool,
    /// It sees `ID_AA64PFR1_EL1.SSBS` on hosts that have it.
    pub ssbs_visible: bool,
}

/// What was saved from a VM, and what kind of VM that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a dump")]
pub struct SavedVm {
    #[serde(rename = "dump")]
    pub name: String,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub psci_0_2: bool,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub ssbs_visible: bool,
    #[serde(deserialize_with = "some")]
    pub registers: Registers,
}

impl SavedVm {
    /// A VM as `fw_regs_vmm` makes it.
    pub fn new(name: &str, registers: Registers) -> Self {
        Self {
            name: name.to_owned(),
            psci_0_2: true,
            ssbs_visible: true,
            registers,
        }
    }

    pub fn kind(&self) -> Kind {
        Kind {
            psci_0_2: self.psci_0_2,
            ssbs_visible: self.ssbs_visible,
        }
    }
}

/// Registers, and not none.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Registers, D::Error> {
    let registers = Registers::deserialize(deserializer)?;
    if registers.is_empty() {
        return Err(D::Error::custom("a dump with no registers"));
    }
    Ok(registers)
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

/// Saved VMs that differ by nothing but their names.
pub struct Dumps {
    pub names: Vec<String>,
    pub registers: Registers,
    pub kind: Kind,
}

impl Dumps {
    /// The kinds of VM that are among them.
    pub fn kinds(all: &[Self]) -> HashSet<Kind> {
        all.iter().map(|dumps| dumps.kind).collect()
    }

    /// Puts those that are equal together, in the order of the first of each.
    pub fn group(dumps: Vec<SavedVm>) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut places = HashMap::new();
        for dump in dumps {
            let kind = dump.kind();
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

#[cfg(test)]
mod tests;
