// SPDX-License-Identifier: GPL-2.0

//! What was saved from VMs, grouped so that equal VMs are judged once.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use fw_regs_policy::PsciVersion;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::lines::{self, Registers};
use crate::registers::{Id, ID_AA64PFR1_EL1, PFR1_SSBS, PSCI_VERSION};

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

    /// A VM of which all registers were saved, or some.
    ///
    /// # Errors
    ///
    /// None of them is a pseudo-register, or one is there twice.
    pub(crate) fn of_all(name: &str, all: Vec<(Id, u64)>) -> Result<Self, String> {
        let pfr1 = all.iter().find(|(id, _)| *id == ID_AA64PFR1_EL1);
        let kept = all.iter().filter(|(id, _)| lines::is_pseudo_register(*id));
        let registers = Registers::new(kept.copied())?;
        if registers.is_empty() {
            return Err("no firmware pseudo-register is among the registers".to_owned());
        }
        Ok(Self {
            // A vCPU without the feature has this version, and no other.
            psci_0_2: registers.value(PSCI_VERSION) != Some(PsciVersion::V0_1.into()),
            ssbs_visible: pfr1.is_none_or(|(_, value)| value & PFR1_SSBS != 0),
            ..Self::new(name, registers)
        })
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
        let mut grouping = Grouping::default();
        dumps.into_iter().for_each(|dump| grouping.add(dump));
        grouping.groups
    }
}

/// Puts dumps that are equal together as they come.
#[derive(Default)]
pub(crate) struct Grouping {
    pub groups: Vec<Dumps>,
    /// Where those with these registers are.
    places: HashMap<(Registers, Kind), usize>,
}

impl Grouping {
    pub fn add(&mut self, dump: SavedVm) {
        let kind = dump.kind();
        let place = match self.places.entry((dump.registers, kind)) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                self.groups.push(Dumps {
                    names: Vec::new(),
                    registers: place.key().0.clone(),
                    kind,
                });
                *place.insert(self.groups.len() - 1)
            }
        };
        self.groups[place].names.push(dump.name);
    }
}

#[cfg(test)]
mod tests;
