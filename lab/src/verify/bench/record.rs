// SPDX-License-Identifier: GPL-2.0

//! What accesses cost with the Rust handlers when that was last recorded: they must not cost more.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::bounds::at_most;
use super::Figures;
use crate::base::disk::write_whole;
use crate::base::kernel::Handlers;
use crate::base::process::{command, output};
use crate::base::project::Project;
use crate::build::kernel::{config, make::Kbuild};
use crate::get::Toolchain;
use crate::model::results::{Case, Outcome};

/// Figures, and with what they were made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    made_with: Vec<String>,
    rust: Figures,
}

fn file(project: &Project) -> PathBuf {
    project.root().join("lab/data/bench.toml")
}

pub fn load(project: &Project) -> Result<Record> {
    let file = file(project);
    toml::from_str(&fs::read_to_string(&file)?).with_context(|| file.display().to_string())
}

/// Writes a new record, below the comment of the one before.
pub fn save(project: &Project, made_with: Vec<String>, rust: Figures) -> Result<()> {
    let file = file(project);
    let before = fs::read_to_string(&file)?;
    let comment = before.lines().take_while(|line| line.starts_with('#'));
    let mut lines: Vec<&str> = comment.collect();
    let record = toml::to_string_pretty(&Record { made_with, rust })?;
    lines.extend(["", &record]);
    write_whole(&file, lines.join("\n").as_bytes())
}

/// What figures depend on besides the component: the kernel and the tools in words of their own, and
/// what of the kernel's configuration is not the default.
pub fn made_with(project: &Project, tools: &Toolchain) -> Result<Vec<String>> {
    let kbuild = Kbuild::new(&project.tree(), &project.build_dir(Handlers::Rust), tools);
    let release = kbuild.build_dir.join("include/config/kernel.release");
    let mut made_with = vec![format!("Linux {}", fs::read_to_string(release)?.trim())];
    for tool in [
        "rustc",
        &tools.llvm.program("clang"),
        "aarch64-linux-gnu-gcc",
        "qemu-system-aarch64",
    ] {
        let version = output(&command(tool, ["--version"]))?;
        made_with.push(version.lines().next().unwrap_or_default().to_owned());
    }
    made_with.extend(config::saved(project, &kbuild)?);
    Ok(made_with)
}

impl Record {
    /// What is above its bound fails with the compilers of the record, with which bounds are set.
    /// Others make other code of the same source: there it is told and skipped.
    pub fn held(&self, made_with: &[String], mut bounds: Vec<Case>) -> Vec<Case> {
        let of = |lines: &[String]| -> Vec<String> {
            let mut lines = lines.to_vec();
            lines.retain(|line| line.starts_with("rustc ") || line.contains("clang version "));
            lines
        };
        let (compilers, recorded) = (of(made_with), of(&self.made_with));
        if compilers != recorded {
            let (now, then) = (compilers.join(", "), recorded.join(", "));
            let reason = format!("above its bound with {now}; bounds are held with {then}");
            for case in bounds.iter_mut().filter(|case| case.failed()) {
                case.outcome = Outcome::Skip(reason.clone());
            }
        }
        bounds
    }

    /// Each figure against the one that was recorded; none where something else made that.
    pub fn against(&self, made_with: &[String], rust: &Figures) -> Vec<Case> {
        let other = |have: &[String], others: &[String], word: &str| -> Vec<String> {
            let only = have.iter().filter(|line| !others.contains(line));
            only.map(|line| format!("{word} `{line}`")).collect()
        };
        let mut changes = other(&self.made_with, made_with, "it had");
        changes.extend(other(made_with, &self.made_with, "it has"));
        if !changes.is_empty() {
            let reason = format!(
                "recorded with another kernel or other tools: {}; compared with C alone",
                changes.join("; ")
            );
            return vec![Case::skip("recorded", reason)];
        }
        let accesses: BTreeSet<_> = self.rust.keys().chain(rust.keys()).collect();
        let case = |access: &String| match (rust.get(access), self.rust.get(access)) {
            (Some(now), Some(before)) => at_most(access, *now, 1.0, *before, "the record"),
            (Some(_), None) => Case::fail(access, "not recorded: `make bench RECORD=1`"),
            (None, _) => Case::fail(access, "was recorded, and is not measured any more"),
        };
        accesses.into_iter().map(case).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            made_with: ["clang version 22.1.8", "CONFIG_KVM=y"]
                .map(String::from)
                .into(),
            rust: Figures::from([("get/A".to_owned(), 600.0)]),
        }
    }

    #[test]
    fn another_tool_or_configuration_is_told() {
        let now = ["clang version 22.1.8", "CONFIG_RUST=y"].map(String::from);
        let cases = record().against(&now, &record().rust);
        let Outcome::Skip(told) = &cases[0].outcome else {
            panic!("{cases:?}");
        };
        let changes = "it had `CONFIG_KVM=y`; it has `CONFIG_RUST=y`; compared with C alone";
        assert!(told.ends_with(changes), "{told}");
    }

    #[test]
    fn bounds_are_held_with_the_compilers_of_the_record() {
        let bounds = || vec![Case::pass("get"), Case::fail("set", "1.2 x")];
        let held = |tool: &str| record().held(&[tool.to_owned()], bounds());
        assert_eq!(held("clang version 22.1.8"), bounds());
        let cases = held("clang version 19.1.7");
        assert_eq!(cases[0], Case::pass("get"));
        assert!(matches!(cases[1].outcome, Outcome::Skip(_)));
    }

    #[test]
    fn more_than_before_fails() {
        let record = record();
        let failed = |rows: &[(&str, f64)]| {
            let rust = rows
                .iter()
                .map(|(access, cost)| (access.to_string(), *cost));
            let cases = record.against(&record.made_with, &rust.collect());
            cases.iter().filter(|case| case.failed()).count()
        };
        assert_eq!(failed(&[("get/A", 600.0)]), 0);
        assert_eq!(failed(&[("get/A", 600.1)]), 1);
        assert_eq!(failed(&[("get/A", 600.0), ("get/B", 1.0)]), 1);
        assert_eq!(failed(&[("get/B", 1.0)]), 2);
    }

    #[test]
    fn the_record_in_the_repository_can_be_read() {
        let record = load(&Project::here()).unwrap();
        assert!(record.rust.contains_key("get/STD_BMAP"));
        assert!(record.made_with[0].starts_with("Linux "));
    }
}
