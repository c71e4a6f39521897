// SPDX-License-Identifier: GPL-2.0

//! What takes long to look at: clippy, the documentation of the Rust code, and configurations in
//! which the component is built otherwise or not at all.

use std::collections::BTreeMap;

use anyhow::{ensure, Result};
use fs_err as fs;
use serde::Deserialize;

use super::TARGETS;
use crate::base::kernel::Handlers;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::{Kbuild, Warnings};
use crate::build::kernel::{config, copy_build, refuse_warnings};
use crate::get::Toolchain;
use crate::model::results::Case;

const CONFIGS: &str = include_str!("../../../series/configs.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The target that it begins with, if it is not that of the other kernels.
    start: Option<String>,
    lines: String,
}

/// All in one build directory, so that each builds what differs from the one before.
pub fn run(project: &Project, tools: &Toolchain) -> Result<Vec<Case>> {
    let configs: BTreeMap<String, Config> = toml::from_str(CONFIGS)?;
    let build_dir = project.base().join("build/gates");
    copy_build(&project.build_dir(Handlers::Rust), &build_dir)?;
    let kbuild = Kbuild::new(&project.tree(), &build_dir, tools);

    let mut cases = vec![
        Case::from_result("clippy", clippy(project, &kbuild)),
        Case::from_result("rustdoc", rustdoc(project, &kbuild)),
    ];
    for (name, config) in configs {
        let name = format!("config-{name}");
        let built = build(project, &kbuild, &name, &config);
        cases.push(Case::from_result(name, built));
    }
    fs::remove_dir_all(&build_dir)?;
    Ok(cases)
}

/// Clippy knows from the kernel's `.clippy.toml` which is the oldest rustc, too.
fn clippy(project: &Project, kbuild: &Kbuild) -> Result<()> {
    let args = [&["CLIPPY=1"], &TARGETS[..]].concat();
    let steps = make(project, kbuild, "clippy", &args)?;
    for object in ["arch/arm64/kvm/fw_regs/fw_regs.o", "rust/kernel.o"] {
        let seen = |step: &String| step.starts_with("  CLIPPY") && step.ends_with(object);
        ensure!(steps.iter().any(seen), "clippy has not seen {object}");
    }
    Ok(())
}

fn rustdoc(project: &Project, kbuild: &Kbuild) -> Result<()> {
    make(project, kbuild, "rustdoc", &["rustdoc"])?;
    let page = "Documentation/output/rust/rustdoc/kernel/kvm/struct.Vm.html";
    let is_there = kbuild.build_dir.join(page).exists();
    ensure!(is_there, "rustdoc has made no {page}");
    Ok(())
}

fn build(project: &Project, kbuild: &Kbuild, name: &str, config: &Config) -> Result<()> {
    let (start, ours) = match &config.start {
        Some(start) => (&**start, String::new()),
        None => (config::START, config::fragment(project, Handlers::Rust)?),
    };
    let fragment = format!("{ours}{}\n", config.lines);
    let log = project.log(&format!("series-{name}"));
    config::make(kbuild, start, &fragment, &log)?;
    config::holds(kbuild, &config.lines)?;
    make(project, kbuild, name, &TARGETS).map(drop)
}

/// Runs a `make` that must not warn of files of ours, and returns what it prints.
pub fn make(project: &Project, kbuild: &Kbuild, name: &str, args: &[&str]) -> Result<Vec<String>> {
    let _step = Step::spinner(name);
    let mut warnings = Warnings::new(project)?;
    let mut lines = Vec::new();
    let log = project.log(&format!("series-{name}"));
    logged(name, &kbuild.make(args), &log, |line| {
        warnings.read(line);
        lines.push(line.to_owned());
    })?;
    refuse_warnings(&project.tree(), warnings)?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_say_what_must_hold() {
        let configs: BTreeMap<String, Config> = toml::from_str(CONFIGS).unwrap();
        assert!(configs.contains_key("KVM=n") && configs["allmodconfig"].start.is_some());
        for (name, config) in configs {
            assert!(config.lines.contains("CONFIG_"), "{name}");
        }
    }
}
