// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers may cost, measured by those in C.

use anyhow::{ensure, Context, Result};

use super::costs::Costs;
use super::sizes::Sizes;
use super::FLOOR;
use crate::model::results::Case;

/// How much more than in C an access may cost: one to a default VM, or a set that a strict VM
/// stores.
const EACH: f64 = 1.10;
/// How much of what bounds them all accesses to default VMs may cost together.
const ALL: f64 = 1.00;
/// How much larger than in C the handlers may be.
const TEXT: f64 = 1.10;

/// The words before an access that say how it was measured.
pub const STRICT: &str = "strict";
pub const TRACED: &str = "traced";

/// Words of rows that are a whole scene: what they cost besides the handlers is most of it.
const SCENES: [&str; 5] = ["list", "get-all", "set-all", "threads", "guest"];

/// Those of them that are done on many vCPUs.
pub const PER_VCPU: [&str; 3] = ["list", "get-all", "set-all"];

/// A row of the table as the goal sees it.
pub struct Row<'a> {
    pub access: &'a str,
    pub rust: f64,
    /// The same access in C.
    pub c: Option<f64>,
    /// The access of C's by which it is bounded, and what that costs.
    pub bound: Option<(String, f64)>,
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
            let floored = !is_scene(access);
            let less = |cost: f64, floor: f64| if floored { cost - floor } else { cost };
            let of_c = |access: &str| c.of(access).map(|cost| less(cost, c_floor));
            let (how, plain) = split(access);
            let bound = (how != Some(TRACED)).then(|| bound(how, plain)).flatten();
            Row {
                access,
                rust: less(cost, rust_floor),
                c: of_c(plain),
                bound: bound.and_then(|peer| of_c(&peer).map(|cost| (peer, cost))),
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

/// The access of C's that bounds this one: itself where C takes the lock for it, too, or neither
/// does. All sets that get as far as the lock take it in Rust, and few do in C: those are bounded by
/// one that does. None: nothing bounds it.
fn bound(how: Option<&str>, plain: &str) -> Option<String> {
    let words: Vec<&str> = plain.split('/').collect();
    let (ran, register, value) = match words.as_slice() {
        ["set", register, value] => ("", *register, *value),
        ["ran", "set", register, value] => ("ran/", *register, *value),
        // A get, which may take another way in a strict VM.
        _ => return how.is_none().then(|| plain.to_owned()),
    };
    let is_bitmap = register.contains("BMAP");
    match (how, value) {
        // It is refused before the lock.
        (None, "malformed") => Some(plain.to_owned()),
        // It asks for the host's state.
        (None, "same" | "other" | "above-offer") if register == "WORKAROUND_2" => {
            Some(plain.to_owned())
        }
        (_, "same" | "other") if register.starts_with("WORKAROUND") => {
            Some(format!("{ran}set/WORKAROUND_2/same"))
        }
        (None, "above-offer") if register.starts_with("WORKAROUND") => {
            Some(format!("{ran}set/WORKAROUND_2/above-offer"))
        }
        // It is stored.
        (None, "same" | "other") if is_bitmap => Some(plain.to_owned()),
        (_, "same" | "other") => Some(format!("{ran}set/STD_BMAP/{value}")),
        // The one that C refuses with the lock held.
        (None, "above-offer") => Some("ran/set/STD_BMAP/other".to_owned()),
        _ => None,
    }
}

/// Each access to a default VM, and each set that a strict one stores: not much more than that of
/// C's which bounds it. Where all of a kind hold, that is one case.
pub fn each(c: &Costs, rust: &Costs) -> Result<Vec<Case>> {
    let rows = rows(c, rust)?;
    let of = |how| {
        let of_kind = move |row: &&Row| split(row.access).0 == how;
        rows.iter().filter(of_kind)
    };
    let mut cases = within("default", of(None))?;
    cases.extend(within(STRICT, of(Some(STRICT)))?);
    Ok(cases)
}

/// These rows, each at most [`EACH`] times C's.
fn within<'a>(name: &str, rows: impl Iterator<Item = &'a Row<'a>>) -> Result<Vec<Case>> {
    let (mut count, mut above) = (0, Vec::new());
    for row in rows {
        let Some((peer, c)) = &row.bound else {
            continue;
        };
        count += 1;
        if row.rust > EACH * c {
            let times = row.rust / c;
            let cause = format!(
                "{:.1} instructions, {times:.2} x C's {c:.1} for {peer}",
                row.rust
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

/// All single accesses to default VMs together: no more than in C.
pub fn sum(c: &Costs, rust: &Costs) -> Result<Case> {
    let (mut c_sum, mut rust_sum) = (0.0, 0.0);
    let rows = rows(c, rust)?;
    let default = rows.iter().filter(|row| split(row.access).0.is_none());
    for row in default.filter(|row| row.is_access()) {
        if let Some((_, c)) = &row.bound {
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
    use crate::verify::bench::costs::costs;

    #[test]
    fn a_set_that_c_does_not_lock_is_bounded_by_one_that_it_does() {
        for (how, plain, expected) in [
            (None, "get/WORKAROUND_1", "get/WORKAROUND_1"),
            (None, "list/1", "list/1"),
            (None, "set/STD_BMAP/other", "set/STD_BMAP/other"),
            (None, "set/STD_BMAP/above-offer", "ran/set/STD_BMAP/other"),
            (
                None,
                "set/PSCI_VERSION/malformed",
                "set/PSCI_VERSION/malformed",
            ),
            (None, "ran/set/PSCI_VERSION/same", "ran/set/STD_BMAP/same"),
            (None, "set/WORKAROUND_1/other", "set/WORKAROUND_2/same"),
            (
                None,
                "ran/set/WORKAROUND_2/same",
                "ran/set/WORKAROUND_2/same",
            ),
            (
                None,
                "set/WORKAROUND_3/above-offer",
                "set/WORKAROUND_2/above-offer",
            ),
            (Some(STRICT), "set/PSCI_VERSION/other", "set/STD_BMAP/other"),
            (
                Some(STRICT),
                "set/VENDOR_HYP_BMAP_2/same",
                "set/STD_BMAP/same",
            ),
            (
                Some(STRICT),
                "ran/set/WORKAROUND_1/same",
                "ran/set/WORKAROUND_2/same",
            ),
        ] {
            assert_eq!(bound(how, plain).as_deref(), Some(expected), "{plain}");
        }
        assert_eq!(bound(Some(STRICT), "get/WORKAROUND_2"), None);
        assert_eq!(bound(Some(STRICT), "set/PSCI_VERSION/malformed"), None);
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
    fn all_together_must_not_cost_more() {
        let failed = |get, list| {
            let others = [("get/A", get), ("list/1", list), ("strict/get/A", 9999.0)];
            sum(&costs(&C), &but(&others)).unwrap().failed()
        };
        // C has 300, of which 200 are the other access.
        assert!(!failed(599.9, 9000.0) && failed(600.1, 9000.0));
        assert!(!failed(599.9, 9999.0), "a scene is none of the accesses");
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
