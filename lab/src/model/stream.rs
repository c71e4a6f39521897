// SPDX-License-Identifier: GPL-2.0

//! What a VMM restores.

use crate::model::registers::Id;

/// What the VMM is given to restore: a dump, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Names the file; one word.
    pub name: String,
    /// In the order of the writes. No value: its memory is lost.
    pub registers: Vec<(Id, Option<u64>)>,
}

impl Stream {
    /// What `fw_regs_vmm restore` reads.
    pub fn to_text(&self) -> String {
        self.registers
            .iter()
            .map(|(id, value)| format!("{id:#018x} {}\n", value_text(*value)))
            .collect()
    }
}

/// A value as the VMM reads and prints it.
fn value_text(value: Option<u64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:#x}"))
}
