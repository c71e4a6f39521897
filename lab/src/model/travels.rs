// SPDX-License-Identifier: GPL-2.0

//! How the journeys of a running VM went.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::journeys::Journey;
use crate::model::matrix::Why;
use crate::model::page::Lines;
use crate::model::registers::{json, long, name, Id, PSCI_VERSION, STD_BMAP};

/// A journey that was made, as far as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Travel {
    pub journey: Journey,
    /// Why it was not made, if it was not: its hosts cannot boot.
    pub left_out: Option<String>,
    pub stays: Vec<Stay>,
    pub seconds: u64,
}

/// What became of the VM on one host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stay {
    pub host: String,
    /// The kernel, and whether all of its VMs are strict.
    pub kernel: String,
    /// QEMU's version.
    pub qemu: String,
    pub end: End,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// The guest went on.
    Written(Lines),
    Refused(Refused),
    /// It is not known what would have become of it.
    Failed(String),
}

/// Who refused a VM, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What QEMU said.
    pub message: Vec<String>,
    /// The refused writes of pseudo-registers, from the kernel's trace. None where the kernel has
    /// no such trace.
    pub writes: Option<Vec<RefusedWrite>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedWrite {
    #[serde(rename = "register", with = "json")]
    pub id: Id,
    #[serde(with = "json")]
    pub value: u64,
    pub why: Why,
}

impl Refused {
    /// The registers that were refused, as the kernel tells, and QEMU. Some of both do not.
    pub fn registers(&self) -> BTreeSet<String> {
        let writes = self.writes.iter().flatten();
        let told = writes.map(|write| name(write.id));
        told.chain(self.message.iter().filter_map(|line| named(line)))
            .collect()
    }

    /// Whether it is registers that QEMU could not set.
    pub fn is_about_registers(&self) -> bool {
        let mut lines = self.message.iter();
        lines.any(|line| line.contains("register"))
    }
}

/// The register in a line such as `Could not set register fw reg 1 to 1 (is 0)`, or one that ends
/// with an errno: `Could not set register fw reg 3: Device or resource busy`.
fn named(line: &str) -> Option<String> {
    let rest = line.strip_prefix("Could not set register ")?;
    let end = rest.find(" to ").or_else(|| rest.find(": "))?;
    let register = &rest[..end];
    let number = |class| register.strip_prefix(class)?.parse::<Id>().ok();
    Some(match (number("fw reg "), number("fw feat reg ")) {
        (Some(number), _) => name(PSCI_VERSION + number),
        (_, Some(number)) => name(STD_BMAP + number),
        _ => register.to_owned(),
    })
}

impl RefusedWrite {
    /// The write, as `register = value`.
    pub fn write(&self) -> String {
        format!("{} = {}", name(self.id), long(self.id, self.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_named_by_qemu_where_the_kernel_does_not() {
        let message = [
            "Could not set register fw reg 1 to 1 (is 0)",
            "Could not set register fw reg 3: Device or resource busy",
            "Could not set register fw feat reg 2 to 7 (is 3)",
            "Could not set register op0:3 op1:0 crn:0 crm:5 op2:0 to 1 (is 0)",
            "Failed to put registers after init: Invalid argument",
        ];
        let refused = Refused {
            message: message.map(str::to_owned).into(),
            writes: None,
        };
        let names: Vec<String> = refused.registers().into_iter().collect();
        let expected = [
            "SMCCC_ARCH_WORKAROUND_1",
            "SMCCC_ARCH_WORKAROUND_3",
            "VENDOR_HYP_BMAP",
            "op0:3 op1:0 crn:0 crm:5 op2:0",
        ];
        assert_eq!(names, expected);
        assert!(refused.is_about_registers());
    }
}
