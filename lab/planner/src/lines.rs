// SPDX-License-Identifier: GPL-2.0

//! Registers in files: lines as `fw_regs_vmm` prints and reads them.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::registers::{self, name, Id};

/// Bits 31:16 name the class of a register; the others, but those of its number, that it is one of
/// arm64 and of 8 bytes.
const CLASS_MASK: Id = !0xffff;
/// `KVM_REG_ARM_FW` and `KVM_REG_ARM_FW_FEAT_BMAP`.
const CLASSES: [Id; 2] = [0x6030_0000_0014_0000, 0x6030_0000_0016_0000];

/// Whether it is of one of the two classes.
pub fn is_pseudo_register(id: Id) -> bool {
    CLASSES.contains(&(id & CLASS_MASK))
}

/// Ids and values, ordered by id; each id once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Registers(Vec<(Id, u64)>);

impl Registers {
    /// # Errors
    ///
    /// An id that is there twice, or names anything else than a firmware pseudo-register: the
    /// sample VMM does not touch such a one.
    pub fn new(registers: impl IntoIterator<Item = (Id, u64)>) -> Result<Self, String> {
        let mut registers = Vec::from_iter(registers);
        registers.sort_by_key(|(id, _)| *id);
        for (id, _) in &registers {
            if !is_pseudo_register(*id) {
                return Err(format!("{id:#018x} is not a firmware pseudo-register"));
            }
        }
        for pair in registers.windows(2) {
            if pair[0].0 == pair[1].0 {
                return Err(format!("{} is there twice", name(pair[0].0)));
            }
        }
        Ok(Self(registers))
    }

    /// Registers that the policy knows, each once, by id.
    pub(crate) fn of_policy(registers: impl Iterator<Item = (Id, u64)>) -> Self {
        Self(registers.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn value(&self, id: Id) -> Option<u64> {
        let (_, value) = self.iter().find(|(found, _)| *found == id)?;
        Some(value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Id, u64)> + '_ {
        self.0.iter().copied()
    }
}

/// One line of `fw_regs_vmm`.
pub fn line(text: &str) -> Result<(Id, u64), String> {
    registers::line(text).ok_or_else(|| format!("`{text}` is not of the form \"0x<id> 0x<value>\""))
}

impl Serialize for Registers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = |(id, value)| format!("{id:#018x} {value:#x}");
        serializer.collect_seq(self.iter().map(line))
    }
}

impl<'de> Deserialize<'de> for Registers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let lines = Vec::<String>::deserialize(deserializer)?;
        let registers = lines.iter().map(|text| line(text));
        let registers: Result<Vec<_>, String> = registers.collect();
        registers
            .and_then(Self::new)
            .map_err(serde::de::Error::custom)
    }
}
