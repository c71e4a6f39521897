// SPDX-License-Identifier: GPL-2.0

//! What takes long to look at: clippy, the documentation of the Rust code, and configurations in
//! which the component is built otherwise or not at all.

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use serde::Deserialize;

use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::{Handlers, Project};
use crate::build::kernel::make::{Kbuild, Warnings};
use crate::build::kernel::{config, copy_build};
use crate::get::Toolchain;
use crate::model::results::Case;

const CONFIGS: &str = "lab/series/configs.toml";

/// Where everything of ours is built. What Rust code needs of `rust/` comes with it.
const TARGETS: [&str; 2] = ["arch/arm64/kvm/", "samples/"];

/// What must be among the steps of a build.
const COMPONENT: &str = "arch/arm64/kvm/fw_regs/fw_regs.o";
const ABSTRACTIONS: &str = "rust/kernel.o";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Configs {
    config: Vec<Config>,
}

/// A configuration.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    name: String,
    /// The target that it begins with, if it is not that of the other kernels.
    start: Option<String>,
    lines: String,
}

/// A build directory in which the gates are run one after the other, each of which builds what
/// differs from the one before.
struct Gates<'a> {
    project: &'a Project,
    kbuild: Kbuild,
}

pub fn run(project: &Project, tools: &Toolchain) -> Result<Vec<Case>> {
    let build_dir = project.base().join("build/gates");
    copy_build(&project.build_dir(Handlers::Rust), &build_dir)?;
    let kbuild = Kbuild::new(&project.tree(), &build_dir, tools);
    let gates = Gates { project, kbuild };

    let mut cases = vec![
        Case::from_result("clippy", gates.clippy()),
        Case::from_result("rustdoc", gates.rustdoc()),
    ];
    for config in configs(project)? {
        let built = gates.config(&config);
        cases.push(Case::from_result(format!("config-{}", config.name), built));
    }
    fs::remove_dir_all(&build_dir)?;
    Ok(cases)
}

fn configs(project: &Project) -> Result<Vec<Config>> {
    let file = project.root().join(CONFIGS);
    let configs: Configs = toml::from_str(&fs::read_to_string(&file)?)
        .with_context(|| format!("cannot read {}", file.display()))?;
    Ok(configs.config)
}

impl Gates<'_> {
    /// Clippy knows from the kernel's `.clippy.toml` which is the oldest rustc, too.
    fn clippy(&self) -> Result<()> {
        let mut args = vec!["CLIPPY=1"];
        args.extend(TARGETS);
        let steps = self.make("clippy", &args)?;
        for object in [COMPONENT, ABSTRACTIONS] {
            let seen = |step: &String| step.starts_with("  CLIPPY") && step.ends_with(object);
            ensure!(steps.iter().any(seen), "clippy has not seen {object}");
        }
        Ok(())
    }

    fn rustdoc(&self) -> Result<()> {
        self.make("rustdoc", &["rustdoc"])?;
        let page = "Documentation/output/rust/rustdoc/kernel/kvm/struct.Vm.html";
        ensure!(
            self.kbuild.build_dir.join(page).exists(),
            "rustdoc has made no {page}"
        );
        Ok(())
    }

    fn config(&self, config: &Config) -> Result<()> {
        let log = self.project.log(&format!("gate-config-{}", config.name));
        let lines = config.lines.trim();
        match &config.start {
            Some(start) => config::make(&self.kbuild, start, lines, &log)?,
            None => {
                let ours = config::fragment(self.project, Handlers::Rust)?;
                let fragment = format!("{ours}{lines}\n");
                config::make(&self.kbuild, config::START, &fragment, &log)?;
            }
        }
        config::holds(&self.kbuild, lines)?;
        self.make(&format!("config-{}", config.name), &TARGETS)?;
        Ok(())
    }

    /// Runs a `make` that must have nothing to say about files of ours, and returns its steps.
    fn make(&self, name: &str, args: &[&str]) -> Result<Vec<String>> {
        let step = Step::spinner(name.to_owned());
        let mut warnings = Warnings::new(self.project)?;
        let mut lines = Vec::new();
        let log = self.project.log(&format!("gate-{name}"));
        logged(name, &self.kbuild.make(args), &log, |line| {
            warnings.read(line);
            lines.push(line.to_owned());
        })?;
        drop(step);
        let found = warnings.into_found();
        let found: Vec<&str> = found.iter().map(|(_, text)| text.as_str()).collect();
        ensure!(found.is_empty(), "{}", found.join("\n"));
        Ok(lines)
    }
}
