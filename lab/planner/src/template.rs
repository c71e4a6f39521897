// SPDX-License-Identifier: GPL-2.0

//! Custom CPU templates of Firecracker's.

use crate::Bound;

/// A template that gives a VM these promises, and leaves all else as it is. A register of 64 bits has
/// as many digits: Firecracker refuses more.
pub fn template(pinned: &[&Bound]) -> String {
    let modifier = |bound: &&Bound| {
        let (addr, bitmap) = (u64::from(bound.register), bound.promise);
        format!("    {{ \"addr\": \"{addr:#018x}\", \"bitmap\": \"0b{bitmap:064b}\" }}")
    };
    let modifiers: Vec<String> = pinned.iter().map(modifier).collect();
    format!(
        "{{\n  \"reg_modifiers\": [\n{}\n  ]\n}}\n",
        modifiers.join(",\n")
    )
}
