// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers may cost: no more than those in C, and no more than they did.

use std::collections::BTreeMap;

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::costs::Costs;
use super::FLOOR;
use crate::disk::write_whole;
use crate::project::Project;
use crate::results::Case;

/// What was measured before.
const RECORD: &str = "lab/bench.toml";

const HEAD: &str = "\
# SPDX-License-Identifier: GPL-2.0
#
# Instructions of each access to a pseudo-register, with the way there and back. Made by
# `make bench RECORD=1`; `make check` fails where one is more than here. They are exact for the
# kernel and the tools with which they were made, and are compared with no others.

";

/// Words of rows that are a whole scene: what they cost besides the handlers is most of it.
const SCENES: [&str; 5] = ["list", "get-all", "set-all", "threads", "guest"];

/// Those of them that are done on many vCPUs.
const PER_VCPU: [&str; 3] = ["list", "get-all", "set-all"];

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
        ["set", register, value] if stores(value) && !register.ends_with("BMAP") => {
            format!("set/{SET_IN_C}/{value}")
        }
        ["ran", "set", register, value] if stores(value) && !register.ends_with("BMAP") => {
            format!("ran/set/{SET_IN_C}/{value}")
        }
        _ => plain.to_owned(),
    }
}

/// All single accesses together: no more than C's.
pub fn sum(c: &Costs, rust: &Costs) -> Result<Case> {
    let (mut c_sum, mut rust_sum) = (0.0, 0.0);
    // The event has no counterpart in C.
    for row in rows(c, rust)?.iter().filter(|row| !is_traced(row.access)) {
        if let Some(c) = row.c.filter(|_| row.is_access()) {
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

/// Figures, and with what they were made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Kernel and tools, in the words of their own.
    pub made_with: Vec<String>,
    /// By access.
    pub rust: BTreeMap<String, f64>,
}

impl Record {
    pub fn new(made_with: Vec<String>, rust: &Costs) -> Self {
        let rust = rust.iter().map(|(access, cost)| (access.to_owned(), cost));
        Self {
            made_with,
            rust: rust.collect(),
        }
    }

    pub fn load(project: &Project) -> Result<Self> {
        let text = fs::read_to_string(project.root().join(RECORD))?;
        toml::from_str(&text).with_context(|| format!("cannot read {RECORD}"))
    }

    pub fn save(&self, project: &Project) -> Result<()> {
        let text = format!("{HEAD}{}", toml::to_string_pretty(self)?);
        write_whole(&project.root().join(RECORD), text.as_bytes())
    }

    /// Each figure against the one that was recorded. `made_with` is what there is now.
    pub fn against(&self, made_with: &[String], rust: &Costs) -> Vec<Case> {
        if self.made_with != made_with {
            let now = made_with.join(", ");
            let then = self.made_with.join(", ");
            let reason = format!("recorded with {then}; this is {now}: `make bench RECORD=1`");
            return vec![Case::skip("recorded", reason)];
        }
        let recorded = self
            .rust
            .iter()
            .map(|(access, before)| match rust.of(access) {
                None => Case::fail(access, "was recorded, and is not measured any more"),
                Some(now) if now > *before => Case::fail(
                    access,
                    format!("{now:.1} instructions, {before:.1} were recorded"),
                ),
                Some(_) => Case::pass(access),
            });
        let new = rust
            .iter()
            .filter(|(access, _)| !self.rust.contains_key(*access))
            .map(|(access, _)| Case::fail(access, "not recorded: `make bench RECORD=1`"));
        recorded.chain(new).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(rows: &[(&str, f64)]) -> Costs {
        let mut text = "costs 1\n".to_owned();
        for (access, cost) in rows {
            text += &format!("cost {access} {cost}\n");
        }
        Costs::parse(&(text + "end\n")).unwrap()
    }

    #[test]
    fn sets_that_store_are_compared_with_one_that_does() {
        assert_eq!(peer("set/PSCI_VERSION/other"), "set/STD_BMAP/other");
        assert_eq!(
            peer("set/PSCI_VERSION/malformed"),
            "set/PSCI_VERSION/malformed"
        );
        assert_eq!(peer("ran/set/PSCI_VERSION/same"), "ran/set/STD_BMAP/same");
        assert_eq!(peer("set/STD_HYP_BMAP/same"), "set/STD_HYP_BMAP/same");
        assert_eq!(peer("traced/get/STD_BMAP"), "get/STD_BMAP");
    }

    #[test]
    fn more_than_c_fails() {
        let c = costs(&[(FLOOR, 500.0), ("get/A", 600.0), ("list/1", 9000.0)]);
        let failed = |a, list| {
            let rust = costs(&[(FLOOR, 500.0), ("get/A", a), ("list/1", list)]);
            sum(&c, &rust).unwrap().failed()
        };
        assert!(!failed(599.9, 9100.0));
        assert!(failed(600.0, 9000.0));
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

    #[test]
    fn more_than_before_fails() {
        let made_with = ["Linux 7.3".to_owned()];
        let record = Record {
            made_with: made_with.to_vec(),
            rust: BTreeMap::from([("get/A".to_owned(), 600.0)]),
        };
        let failed = |rows: &[(&str, f64)]| {
            let cases = record.against(&made_with, &costs(rows));
            cases.iter().filter(|case| case.failed()).count()
        };
        assert_eq!(failed(&[("get/A", 600.0)]), 0);
        assert_eq!(failed(&[("get/A", 600.1)]), 1);
        assert_eq!(failed(&[("get/A", 600.0), ("get/B", 1.0)]), 1);
        assert_eq!(failed(&[("get/B", 1.0)]), 2);
    }
}
