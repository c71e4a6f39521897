// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers may cost: no more than those in C.

use anyhow::{ensure, Context, Result};

use super::costs::Costs;
use super::sizes::Sizes;
use super::FLOOR;
use crate::results::Case;

/// Words of rows that are a whole scene: what they cost besides the handlers is most of it.
const SCENES: [&str; 5] = ["list", "get-all", "set-all", "threads", "guest"];

/// Those of them that are done on many vCPUs.
pub const PER_VCPU: [&str; 3] = ["list", "get-all", "set-all"];

/// The register whose set in C does what all sets do here: take the lock, look whether the VM has
/// run, store.
const SET_IN_C: &str = "STD_BMAP";

/// A row of the table as the goal sees it.
pub struct Row<'a> {
    pub access: &'a str,
    pub rust: f64,
    /// The access of C's with which it is compared.
    pub peer: Option<String>,
    pub c: Option<f64>,
}

impl Row<'_> {
    /// Whether it is of a single access.
    pub fn is_access(&self) -> bool {
        !is_scene(self.access)
    }
}

/// Rows in the order in which Rust was measured, with the handlers alone: the floor is subtracted.
pub fn rows<'a>(c: &'a Costs, rust: &'a Costs) -> Result<Vec<Row<'a>>> {
    let floor = |costs: &Costs| costs.of(FLOOR).context("the floor was not measured");
    let (c_floor, rust_floor) = (floor(c)?, floor(rust)?);
    let handlers = rust.iter().filter(|(access, _)| *access != FLOOR);
    Ok(handlers
        .map(|(access, cost)| {
            let peer = peer(access);
            let floored = !is_scene(access);
            let less = |cost: f64, floor: f64| if floored { cost - floor } else { cost };
            Row {
                access,
                rust: less(cost, rust_floor),
                c: c.of(&peer).map(|cost| less(cost, c_floor)),
                peer: (c.of(&peer).is_some()).then_some(peer),
            }
        })
        .collect())
}

fn is_scene(access: &str) -> bool {
    let plain = access.strip_prefix("traced/").unwrap_or(access);
    SCENES
        .iter()
        .any(|scene| plain.split('/').next() == Some(scene))
}

/// With which access of C's one is compared: itself, or where C does less, the one that does the
/// same.
fn peer(access: &str) -> String {
    let plain = access.strip_prefix("traced/").unwrap_or(access);
    let words: Vec<&str> = plain.split('/').collect();
    let stores = |value: &str| matches!(value, "same" | "other");
    match words.as_slice() {
        ["set", register, value] if stores(value) && !register.contains("BMAP") => {
            format!("set/{SET_IN_C}/{value}")
        }
        ["ran", "set", register, value] if stores(value) && !register.contains("BMAP") => {
            format!("ran/set/{SET_IN_C}/{value}")
        }
        _ => plain.to_owned(),
    }
}

/// Each single access: no more than that of C's with which it is compared. Where all of them hold,
/// that is one case.
pub fn each(c: &Costs, rust: &Costs) -> Result<Vec<Case>> {
    let rows = rows(c, rust)?;
    let compared = rows.iter().filter_map(|row| {
        let c = row.c.filter(|_| row.is_access() && !is_traced(row.access));
        Some((row, c?))
    });
    let (mut count, mut above) = (0, Vec::new());
    for (row, c) in compared {
        count += 1;
        if row.rust > c {
            let peer = row.peer.as_deref().unwrap_or_default();
            let cause = format!("{:.1} instructions, C has {c:.1} for {peer}", row.rust);
            above.push(Case::fail(row.access, cause));
        }
    }
    ensure!(count > 0, "nothing was measured with both kernels");
    Ok(match above.is_empty() {
        true => vec![Case::pass("each")],
        false => above,
    })
}

/// All together: less than C.
pub fn sum(c: &Costs, rust: &Costs) -> Result<Case> {
    let (mut c_sum, mut rust_sum) = (0.0, 0.0);
    // The event has no counterpart in C.
    for row in rows(c, rust)?.iter().filter(|row| !is_traced(row.access)) {
        if let Some(c) = row.c {
            c_sum += c;
            rust_sum += row.rust;
        }
    }
    ensure!(c_sum > 0.0, "nothing was measured with both kernels");
    Ok(match rust_sum < c_sum {
        true => Case::pass("sum"),
        false => {
            let cause = format!("{rust_sum:.1} instructions, C has {c_sum:.1}");
            Case::fail("sum", cause)
        }
    })
}

/// The code of what C does, too: no more than C's.
pub fn text(c: &Sizes, rust: &Sizes) -> Case {
    let (c, rust) = (c.text, rust.text - rust.apart());
    match rust <= c {
        true => Case::pass("text"),
        false => Case::fail("text", format!("{rust} bytes, C has {c}")),
    }
}

/// What a vCPU costs must not depend on how many there are.
pub fn flat(rust: &Costs) -> Vec<Case> {
    let at_one = rust
        .iter()
        .filter_map(|(access, cost)| Some((access.strip_suffix("/1")?, cost)))
        .filter(|(scene, _)| PER_VCPU.contains(scene));
    at_one
        .map(|(scene, one)| {
            let more = rust.iter().find(|(access, cost)| {
                let of_scene = access.strip_prefix(scene);
                of_scene.is_some_and(|rest| rest.starts_with('/')) && *cost > one
            });
            match more {
                None => Case::pass(scene),
                Some((access, cost)) => {
                    let cause = format!("{cost:.1} instructions by vCPU, {one:.1} with one");
                    Case::fail(access, cause)
                }
            }
        })
        .collect()
}

fn is_traced(access: &str) -> bool {
    access.starts_with("traced/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::costs::costs;

    #[test]
    fn sets_that_store_are_compared_with_one_that_does() {
        assert_eq!(peer("set/PSCI_VERSION/other"), "set/STD_BMAP/other");
        assert_eq!(
            peer("set/PSCI_VERSION/malformed"),
            "set/PSCI_VERSION/malformed"
        );
        assert_eq!(peer("ran/set/PSCI_VERSION/same"), "ran/set/STD_BMAP/same");
        assert_eq!(
            peer("set/VENDOR_HYP_BMAP_2/same"),
            "set/VENDOR_HYP_BMAP_2/same"
        );
        assert_eq!(peer("traced/get/STD_BMAP"), "get/STD_BMAP");
    }

    #[test]
    fn more_than_c_fails() {
        let c = costs(&[(FLOOR, 500.0), ("get/A", 600.0), ("list/1", 9000.0)]);
        let failed = |a, list| {
            let rust = [(FLOOR, 500.0), ("get/A", a), ("list/1", list)];
            let rust = costs(&[&rust[..], &[("traced/get/A", 900.0)]].concat());
            let each = each(&c, &rust).unwrap();
            let each = each.iter().filter(|case| case.failed()).count();
            (each, sum(&c, &rust).unwrap().failed())
        };
        assert_eq!(failed(600.0, 8999.9), (0, false));
        assert_eq!(failed(600.1, 8999.9), (1, true));
        assert_eq!(failed(600.1, 8999.0), (1, false));
        assert_eq!(failed(599.9, 9000.1), (0, true));
    }

    #[test]
    fn more_code_than_c_fails() {
        let sizes = |text, apart: u64| Sizes {
            text,
            rodata: 0,
            stack: 0,
            functions: vec![
                ("get".into(), text - apart),
                ("kvm_arm_fw_reg_x".into(), apart),
            ],
        };
        assert!(!text(&sizes(100, 0), &sizes(140, 40)).failed());
        assert!(text(&sizes(100, 0), &sizes(140, 39)).failed());
    }

    #[test]
    fn more_for_more_vcpus_fails() {
        let failed = |eight| {
            let rust = costs(&[("list/1", 100.0), ("list/8", eight), ("threads/1", 1.0)]);
            flat(&rust).iter().filter(|case| case.failed()).count()
        };
        assert_eq!(failed(100.0), 0);
        assert_eq!(failed(100.1), 1);
    }
}
