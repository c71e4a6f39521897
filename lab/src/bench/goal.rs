// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers may cost, measured by those in C.

use anyhow::{ensure, Context, Result};

use super::costs::Costs;
use super::sizes::Sizes;
use super::FLOOR;
use crate::results::Case;

/// How much more than in C an access may cost: one to a default VM, or a set that a strict VM
/// stores.
const EACH: f64 = 1.10;
/// How much of what they cost in C all accesses to default VMs may cost together.
const ALL: f64 = 0.95;
/// How much larger than in C the handlers may be.
const TEXT: f64 = 1.10;

/// The words before an access that say how it was measured.
pub const STRICT: &str = "strict";
pub const TRACED: &str = "traced";

/// Words of rows that are a whole scene: what they cost besides the handlers is most of it.
const SCENES: [&str; 5] = ["list", "get-all", "set-all", "threads", "guest"];

/// Those of them that are done on many vCPUs.
pub const PER_VCPU: [&str; 3] = ["list", "get-all", "set-all"];

/// The register whose set in C does what all sets of a strict VM do: take the lock, look whether the
/// VM has run, store.
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

/// How an access was measured, and the access itself.
fn split(access: &str) -> (Option<&str>, &str) {
    match access.split_once('/') {
        Some((how @ (STRICT | TRACED), plain)) => (Some(how), plain),
        _ => (None, access),
    }
}

fn is_scene(access: &str) -> bool {
    let (_, plain) = split(access);
    SCENES
        .iter()
        .any(|scene| plain.split('/').next() == Some(scene))
}

/// With which access of C's one is compared: itself, or where a strict VM stores and C does not,
/// the one that stores.
fn peer(access: &str) -> String {
    match split(access) {
        (Some(STRICT), plain) => storing(plain).unwrap_or_else(|| plain.to_owned()),
        (_, plain) => plain.to_owned(),
    }
}

/// The set in C that does what this one of a strict VM does. None: it is none that may store.
fn storing(plain: &str) -> Option<String> {
    let words: Vec<&str> = plain.split('/').collect();
    match words.as_slice() {
        ["set", _, value @ ("same" | "other")] => Some(format!("set/{SET_IN_C}/{value}")),
        ["ran", "set", _, value @ ("same" | "other")] => {
            Some(format!("ran/set/{SET_IN_C}/{value}"))
        }
        _ => None,
    }
}

/// Each access to a default VM, and each set that a strict one stores: not much more than that of
/// C's with which it is compared. Where all of a kind hold, that is one case.
pub fn each(c: &Costs, rust: &Costs) -> Result<Vec<Case>> {
    let rows = rows(c, rust)?;
    let default = rows.iter().filter(|row| split(row.access).0.is_none());
    let strict = rows.iter().filter(|row| match split(row.access) {
        (Some(STRICT), plain) => storing(plain).is_some(),
        _ => false,
    });
    let mut cases = within("default", default)?;
    cases.extend(within(STRICT, strict)?);
    Ok(cases)
}

/// These rows, each at most [`EACH`] times C's.
fn within<'a>(name: &str, rows: impl Iterator<Item = &'a Row<'a>>) -> Result<Vec<Case>> {
    let (mut count, mut above) = (0, Vec::new());
    for (row, c) in rows.filter_map(|row| Some((row, row.c?))) {
        count += 1;
        if row.rust > EACH * c {
            let peer = row.peer.as_deref().unwrap_or_default();
            let cause = format!(
                "{:.1} instructions, {:.2} x C's {c:.1} for {peer}",
                row.rust,
                row.rust / c
            );
            above.push(Case::fail(row.access, cause));
        }
    }
    ensure!(count > 0, "{name}: nothing was measured with both kernels");
    Ok(match above.is_empty() {
        true => vec![Case::pass(name)],
        false => above,
    })
}

/// All single accesses to default VMs together: less than in C.
pub fn sum(c: &Costs, rust: &Costs) -> Result<Case> {
    let (mut c_sum, mut rust_sum) = (0.0, 0.0);
    let rows = rows(c, rust)?;
    for row in rows
        .iter()
        .filter(|row| row.is_access() && split(row.access).0.is_none())
    {
        if let Some(c) = row.c {
            c_sum += c;
            rust_sum += row.rust;
        }
    }
    ensure!(c_sum > 0.0, "nothing was measured with both kernels");
    Ok(match rust_sum <= ALL * c_sum {
        true => Case::pass("sum"),
        false => {
            let times = rust_sum / c_sum;
            let cause = format!("{rust_sum:.1} instructions, {times:.2} x C's {c_sum:.1}");
            Case::fail("sum", cause)
        }
    })
}

/// The code of what C does, too: not much more than C's.
pub fn text(c: &Sizes, rust: &Sizes) -> Case {
    let (c, rust) = (c.text as f64, (rust.text - rust.apart()) as f64);
    match rust <= TEXT * c {
        true => Case::pass("text"),
        false => {
            let times = rust / c;
            Case::fail("text", format!("{rust} bytes, {times:.2} x C's {c}"))
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::costs::costs;

    #[test]
    fn only_sets_that_strict_vms_store_are_compared_with_another() {
        for (access, expected) in [
            ("set/PSCI_VERSION/other", "set/PSCI_VERSION/other"),
            ("traced/ran/set/STD_BMAP/same", "ran/set/STD_BMAP/same"),
            ("strict/set/PSCI_VERSION/other", "set/STD_BMAP/other"),
            ("strict/set/VENDOR_HYP_BMAP_2/same", "set/STD_BMAP/same"),
            ("strict/ran/set/WORKAROUND_1/same", "ran/set/STD_BMAP/same"),
            (
                "strict/set/PSCI_VERSION/malformed",
                "set/PSCI_VERSION/malformed",
            ),
            ("strict/get/WORKAROUND_2", "get/WORKAROUND_2"),
        ] {
            assert_eq!(peer(access), expected, "{access}");
        }
    }

    const C: [(&str, f64); 4] = [
        (FLOOR, 500.0),
        ("get/A", 600.0),
        ("set/STD_BMAP/same", 700.0),
        ("list/1", 9000.0),
    ];

    /// The rows of C with these in place of the same ones, or besides.
    fn but(others: &[(&str, f64)]) -> Costs {
        let of_c = C.into_iter().filter(|(access, _)| {
            let mut others = others.iter();
            others.all(|(other, _)| other != access)
        });
        costs(&Vec::from_iter(of_c.chain(others.iter().copied())))
    }

    #[test]
    fn each_may_cost_a_tenth_more() {
        let c = costs(&C);
        let failed = |others: &[(&'static str, f64)]| {
            let strict = ("strict/set/A/same", 700.0);
            let rust = but(&[&[strict][..], others].concat());
            let cases = each(&c, &rust).unwrap();
            let failed = cases.into_iter().filter(Case::failed);
            Vec::from_iter(failed.map(|case| case.name))
        };
        assert_eq!(failed(&[]), [""; 0]);
        assert_eq!(failed(&[("get/A", 609.9)]), [""; 0]);
        assert_eq!(failed(&[("get/A", 610.1)]), ["get/A"]);
        assert_eq!(failed(&[("list/1", 9899.0)]), [""; 0]);
        assert_eq!(failed(&[("list/1", 9901.0)]), ["list/1"]);
        assert_eq!(failed(&[("strict/set/B/same", 719.9)]), [""; 0]);
        assert_eq!(
            failed(&[("strict/set/B/same", 720.1)]),
            ["strict/set/B/same"]
        );
        let unbounded = [("traced/get/A", 9999.0), ("strict/get/A", 9999.0)];
        assert_eq!(failed(&unbounded), [""; 0]);

        let nothing = each(&c, &c).unwrap_err().to_string();
        assert!(nothing.starts_with("strict: nothing"), "{nothing}");
    }

    #[test]
    fn all_together_must_cost_less() {
        let failed = |get, list| {
            let others = [("get/A", get), ("list/1", list), ("strict/get/A", 9999.0)];
            sum(&costs(&C), &but(&others)).unwrap().failed()
        };
        // C has 300, of which 200 are the other access.
        assert!(!failed(584.9, 9000.0) && failed(585.1, 9000.0));
        assert!(!failed(584.9, 9999.0), "a scene is none of the accesses");
    }

    #[test]
    fn the_code_may_be_a_tenth_larger() {
        let sizes = |text, apart: u64| Sizes {
            text,
            rodata: 0,
            stack: 0,
            functions: vec![
                ("kvm_arm_get_fw_reg".into(), text - apart),
                ("kvm_arm_fw_regs_enable".into(), apart),
            ],
        };
        assert!(!text(&sizes(100, 0), &sizes(150, 40)).failed());
        assert!(text(&sizes(100, 0), &sizes(151, 40)).failed());
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
