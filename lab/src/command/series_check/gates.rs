// SPDX-License-Identifier: GPL-2.0

//! What takes long to look at: clippy, and configurations in which the component is built otherwise
//! or not at all.

use std::collections::BTreeMap;

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use serde::Deserialize;

use super::TARGETS;
use crate::base::disk::copy_whole;
use crate::base::kernel::Handlers;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::{Kbuild, Warnings};
use crate::build::kernel::{config, copy_build, refuse_warnings};
use crate::get::source::version_of;
use crate::get::{self, kernel_config, Toolchain};
use crate::model::hosts;
use crate::model::results::Case;
use crate::verify::{boots::Plan, selftests};

const CONFIGS: &str = include_str!("../../../series/configs.toml");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The target that it begins with, if it is not that of the other kernels; or `debian` for what
    /// Debian configures.
    start: Option<String>,
    lines: String,
    /// What builds it, if that is not what builds the other kernels.
    compiler: Option<Compiler>,
    /// Whether the kernel is built whole, boots, and runs our selftests.
    #[serde(default)]
    boots: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Compiler {
    make: Vec<String>,
    program: String,
    packages: Vec<String>,
}

/// The host on which such a kernel boots.
const HOST: &str = "n1";

/// All in one build directory, so that each builds what differs from the one before.
pub fn run(project: &Project, tools: &Toolchain) -> Result<Vec<Case>> {
    let configs: BTreeMap<String, Config> = toml::from_str(CONFIGS)?;
    let build_dir = project.base().join("build/gates");
    copy_build(&project.build_dir(Handlers::Rust), &build_dir)?;
    let kbuild = Kbuild::new(&project.tree(), &build_dir, tools);

    let mut cases = vec![Case::from_result("clippy", clippy(project, &kbuild))];
    for (name, config) in configs {
        let name = format!("config-{name}");
        let mut kbuild = kbuild.with(&[]);
        if let Some(it) = &config.compiler {
            if let Err(error) = get::want_from(project, &it.program, &it.packages) {
                cases.push(Case::skip(name, format!("{error:#}")));
                continue;
            }
            kbuild = kbuild.with(&it.make);
        }
        let built = build(project, &kbuild, &name, &config);
        let is_built = built.is_ok();
        cases.push(Case::from_result(&*name, built));
        if config.boots && is_built {
            cases.extend(booted(project, &kbuild, &name)?);
        }
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

/// Makes the documentation of the Rust code, in which no link may lead nowhere.
pub fn rustdoc(project: &Project, kbuild: &Kbuild) -> Result<()> {
    make(project, kbuild, "rustdoc", &["rustdoc"])?;
    let page = "Documentation/output/rust/rustdoc/kernel/kvm/struct.Vm.html";
    let is_there = kbuild.build_dir.join(page).exists();
    ensure!(is_there, "rustdoc has made no {page}");
    Ok(())
}

fn build(project: &Project, kbuild: &Kbuild, name: &str, config: &Config) -> Result<()> {
    let log = project.log(&format!("series-{name}"));
    let lines = format!("{}\n", config.lines);
    match config.start.as_deref() {
        Some("debian") => {
            let kernel = version_of(&project.tree()).context("the tree has no version")?;
            let text = kernel_config::of(project, kernel.series())?;
            config::complete(kbuild, &text, &lines, &log)?;
        }
        Some(start) => config::make(kbuild, start, &lines, &log)?,
        None => {
            let ours = config::fragment(project, Handlers::Rust)?;
            config::make(kbuild, config::START, &format!("{ours}{lines}"), &log)?;
        }
    }
    config::holds(kbuild, &config.lines)?;
    match config.boots {
        true => make(project, kbuild, name, &["Image"]).map(drop),
        false => make(project, kbuild, name, &TARGETS).map(drop),
    }
}

/// Boots a kernel, and runs our selftests there.
fn booted(project: &Project, kbuild: &Kbuild, name: &str) -> Result<Vec<Case>> {
    let base = project.base().join(name);
    let other = project.clone().with_tree_as_it_is(&base);
    let image = kbuild.build_dir.join("arch/arm64/boot/Image");
    copy_whole(&image, &other.image(Handlers::Rust))?;
    for place in ["linux", "selftests"] {
        let link = base.join(place);
        if !link.exists() {
            fs::os::unix::fs::symlink(project.base().join(place), link)?;
        }
    }
    let mut plan = Plan::default();
    selftests::plan_on(&other, &mut plan, HOST, Handlers::Rust)?;
    let boots = plan.boot(&other, &hosts::load(project)?)?;
    let results = selftests::results(&other, &boots, HOST, Handlers::Rust);
    let cases: Vec<Case> = match results {
        Ok(results) => {
            let named = |test: &str, case: Case| {
                let of = format!("{name}/{test}/{}", case.name);
                Case::new(of, case.outcome)
            };
            let results = results
                .into_iter()
                .flat_map(|(_, test, cases)| cases.into_iter().map(move |case| named(&test, case)));
            results.collect()
        }
        Err(error) => vec![Case::fail(format!("{name}/boot"), format!("{error:#}"))],
    };
    // The console of a failure is below it.
    if !cases.iter().any(Case::failed) {
        fs::remove_dir_all(&base)?;
    }
    Ok(cases)
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
