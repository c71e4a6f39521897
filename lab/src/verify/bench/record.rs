// SPDX-License-Identifier: GPL-2.0

//! What the Rust handlers cost when it was last recorded: they must not cost more.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::costs::Costs;
use super::goal::PER_VCPU;
use crate::base::disk::write_whole;
use crate::base::project::Project;
use crate::model::results::Case;

/// What was measured before.
const RECORD: &str = "lab/data/bench.toml";

const HEAD: &str = "\
# SPDX-License-Identifier: GPL-2.0
#
# Instructions of each access to a pseudo-register, with the way there and back. Made by
# `make bench RECORD=1`; `make check` fails where one is more than here. They are exact for the
# kernel and the tools with which they were made, and are compared with no others.

";

/// Whether `lab check` measures it.
pub fn is_recorded(access: &str) -> bool {
    let scene = access.split('/').next().unwrap_or_default();
    scene != "threads" && !PER_VCPU.contains(&scene)
}

/// What figures depend on besides the component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeWith {
    /// Kernel and tools, in the words of their own.
    pub tools: BTreeMap<String, String>,
    /// What of the kernel's configuration is not the default.
    pub config: Vec<String>,
}

impl MadeWith {
    /// What is otherwise than it was.
    fn changes(&self, now: &Self) -> Vec<String> {
        let none = "none".to_owned();
        let names: BTreeSet<_> = self.tools.keys().chain(now.tools.keys()).collect();
        let tools = names.into_iter().filter_map(|tool| {
            let [was, is] = [self, now].map(|with| with.tools.get(tool).unwrap_or(&none));
            (was != is).then(|| format!("{tool} was `{was}`, and is `{is}`"))
        });
        let only = |one: &Self, other: &Self| {
            let lines = one
                .config
                .iter()
                .filter(|line| !other.config.contains(line));
            lines.cloned().collect::<Vec<_>>()
        };
        let was = only(self, now)
            .into_iter()
            .map(|line| format!("it had `{line}`"));
        let is = only(now, self)
            .into_iter()
            .map(|line| format!("it has `{line}`"));
        tools.chain(was).chain(is).collect()
    }
}

/// Figures, and with what they were made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub made_with: MadeWith,
    /// By access.
    pub rust: BTreeMap<String, f64>,
}

impl Record {
    pub fn new(made_with: MadeWith, rust: &Costs) -> Self {
        let rust = rust.iter().map(|(access, cost)| (access.to_owned(), cost));
        Self {
            made_with,
            rust: rust.collect(),
        }
    }

    pub fn load(project: &Project) -> anyhow::Result<Self> {
        let text = fs::read_to_string(project.root().join(RECORD))?;
        toml::from_str(&text).with_context(|| format!("cannot read {RECORD}"))
    }

    pub fn save(&self, project: &Project) -> anyhow::Result<()> {
        let text = format!("{HEAD}{}", toml::to_string_pretty(self)?);
        write_whole(&project.root().join(RECORD), text.as_bytes())
    }

    /// The record, if it was made with what there is now; else why it says nothing.
    pub fn of(self, now: &MadeWith) -> Result<Self, String> {
        let changes = self.made_with.changes(now);
        if changes.is_empty() {
            return Ok(self);
        }
        Err(format!(
            "recorded with another kernel or other tools: {}; compared with C alone",
            changes.join("; ")
        ))
    }

    /// Each figure against the one that was recorded.
    pub fn against(&self, rust: &Costs) -> Vec<Case> {
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
    use crate::verify::bench::costs::costs;

    fn record(clang: &str, config: &str) -> Record {
        Record {
            made_with: MadeWith {
                tools: BTreeMap::from([("clang".to_owned(), clang.to_owned())]),
                config: vec!["CONFIG_KVM=y".to_owned(), config.to_owned()],
            },
            rust: BTreeMap::from([("get/A".to_owned(), 600.0)]),
        }
    }

    #[test]
    fn another_tool_or_configuration_is_told() {
        let of = |clang, config| {
            let now = record(clang, config).made_with;
            record("22.1.8", "CONFIG_RUST=y").of(&now)
        };
        assert!(of("22.1.8", "CONFIG_RUST=y").is_ok());
        let told = of("19.1.7", "CONFIG_RUST_INLINE_HELPERS=y").unwrap_err();
        for change in [
            "clang was `22.1.8`, and is `19.1.7`",
            "it had `CONFIG_RUST=y`",
            "it has `CONFIG_RUST_INLINE_HELPERS=y`",
        ] {
            assert!(told.contains(change), "{told}");
        }
    }

    #[test]
    fn what_is_not_measured_in_a_check_is_not_recorded() {
        assert!(is_recorded("get/STD_BMAP") && is_recorded("traced/set/STD_BMAP/same"));
        assert!(!is_recorded("threads/2") && !is_recorded("list/64"));
    }

    #[test]
    fn more_than_before_fails() {
        let record = record("22.1.8", "CONFIG_RUST=y");
        let failed = |rows: &[(&str, f64)]| {
            let cases = record.against(&costs(rows));
            cases.iter().filter(|case| case.failed()).count()
        };
        assert_eq!(failed(&[("get/A", 600.0)]), 0);
        assert_eq!(failed(&[("get/A", 600.1)]), 1);
        assert_eq!(failed(&[("get/A", 600.0), ("get/B", 1.0)]), 1);
        assert_eq!(failed(&[("get/B", 1.0)]), 2);
    }
}
