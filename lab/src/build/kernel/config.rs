// SPDX-License-Identifier: GPL-2.0

//! A kernel's configuration: a tinyconfig with `lab/data/kernel.config` on top.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use fs_err as fs;

use super::make::Kbuild;
use crate::base::error::{fault, Help};
use crate::base::process::{logged, output};
use crate::base::project::{Handlers, Project};

/// Where a kernel's configuration begins.
pub const START: &str = "tinyconfig";

/// What the names of our own options begin with.
const OURS: &str = "KVM_ARM_FW_REGS_";

/// Configures a build directory, unless it is configured just so already. `kconfig` names the
/// Kconfig files of the tree.
pub fn ensure(project: &Project, kbuild: &Kbuild, handlers: Handlers, kconfig: &str) -> Result<()> {
    // What the present .config was made from. An optional line that was dropped is tried again.
    let note = kbuild.build_dir.join("lab.config");
    let made_from = format!("{}\n{kconfig}\n", fragment(project, handlers)?);
    let is_there = kbuild.build_dir.join(".config").exists();
    if is_there && fs::read_to_string(&note).is_ok_and(|before| before == made_from) {
        return Ok(());
    }
    of_what_there_is(project, kbuild, handlers)?;
    check(project, kbuild, handlers)?;
    Ok(fs::write(note, made_from)?)
}

/// Configures a build directory for a tree that may not have all of ours yet: what it does not know
/// is left out.
pub fn of_what_there_is(project: &Project, kbuild: &Kbuild, handlers: Handlers) -> Result<()> {
    let log = project.log(&format!("config-{}", handlers.name()));
    make(kbuild, START, &fragment(project, handlers)?, &log)
}

/// Configures a build directory as `start` does, a target such as `allmodconfig`, with the lines of
/// a fragment on top.
pub fn make(kbuild: &Kbuild, start: &str, fragment: &str, log: &Path) -> Result<()> {
    let run = |target| logged(target, &kbuild.make(&[target]), log, |_| ());
    let config = kbuild.build_dir.join(".config");
    fs::create_dir_all(&kbuild.build_dir)?;
    run(start)?;
    let text = fs::read_to_string(&config)? + fragment;
    fs::write(&config, text)?;
    run("olddefconfig")
}

/// Whether the configuration is what we want. Kbuild changes it without a word where a tool has
/// gone.
pub fn check(project: &Project, kbuild: &Kbuild, handlers: Handlers) -> Result<()> {
    holds(kbuild, &fragment(project, handlers)?)
}

/// The same for a fragment.
pub fn holds(kbuild: &Kbuild, fragment: &str) -> Result<()> {
    let config = fs::read_to_string(kbuild.build_dir.join(".config"))?;
    match lost(fragment, &config) {
        lost if lost.is_empty() => Ok(()),
        lost => Err(explain(kbuild, &lost)),
    }
}

/// What a kernel of ours has over a tinyconfig.
pub fn fragment(project: &Project, handlers: Handlers) -> Result<String> {
    let fragment = fs::read_to_string(project.root().join("lab/data/kernel.config"))?;
    let doctests = match project.has_doctests() {
        true => "CONFIG_RUST_KERNEL_DOCTESTS=y\n",
        false => "",
    };
    Ok(format!("{fragment}\n{}{doctests}", choice(handlers)))
}

/// Makes sure that two kernels differ in nothing but the handlers.
pub fn refuse_differences(one: &Kbuild, other: &Kbuild) -> Result<()> {
    let read = |kbuild: &Kbuild| fs::read_to_string(kbuild.build_dir.join(".config"));
    let differences = differences(&read(one)?, &read(other)?);
    if differences.is_empty() {
        return Ok(());
    }
    Err(fault(
        format!(
            "kernels that are compared differ in more than their handlers:\n  {}",
            differences.join("\n  ")
        ),
        format!(
            "remove {} and {}, then try again",
            one.build_dir.display(),
            other.build_dir.display()
        ),
    ))
}

/// What two configurations have different, but for what chooses the handlers.
fn differences(one: &str, other: &str) -> Vec<String> {
    let read = |config| {
        let settings = str::lines(config).filter_map(setting);
        let settings = settings.filter(|(symbol, _)| !symbol.starts_with(OURS));
        settings.collect::<BTreeMap<_, _>>()
    };
    let (one, other) = (read(one), read(other));
    let symbols: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let value = |config: &BTreeMap<&str, &str>, symbol: &str| {
        config.get(symbol).copied().unwrap_or("n").to_owned()
    };
    let differing = symbols.into_iter().filter_map(|symbol| {
        let (one, other) = (value(&one, symbol), value(&other, symbol));
        (one != other).then(|| format!("CONFIG_{symbol}: {one}, {other}"))
    });
    differing.collect()
}

/// The configuration as `make savedefconfig` tells it: what is not the default.
pub fn saved(project: &Project, kbuild: &Kbuild) -> Result<Vec<String>> {
    logged(
        "savedefconfig",
        &kbuild.make(&["savedefconfig"]),
        &project.log("savedefconfig"),
        |_| (),
    )?;
    let saved = fs::read_to_string(kbuild.build_dir.join("defconfig"))?;
    Ok(saved.lines().map(str::to_owned).collect())
}

/// What makes the difference between the two kernels.
fn choice(handlers: Handlers) -> &'static str {
    match handlers {
        Handlers::Rust => {
            "CONFIG_KVM_ARM_FW_REGS_RUST=y\n\
             CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST=y\n"
        }
        Handlers::C => "# CONFIG_KVM_ARM_FW_REGS_RUST is not set\n",
    }
}

/// The lines of a fragment that do not hold in a finished configuration.
fn lost<'f>(fragment: &'f str, config: &str) -> Vec<&'f str> {
    let config: BTreeMap<&str, &str> = config.lines().filter_map(setting).collect();
    let mut lost = Vec::new();
    let mut optional = false;
    for line in fragment.lines() {
        match setting(line) {
            Some((symbol, value)) => {
                let holds = config.get(symbol).copied().unwrap_or("n") == value;
                if !holds && !optional {
                    lost.push(line);
                }
                optional = false;
            }
            None => optional |= line.starts_with("# optional"),
        }
    }
    lost
}

/// The symbol and value that a line sets.
fn setting(line: &str) -> Option<(&str, &str)> {
    if let Some(unset) = line.strip_prefix("# CONFIG_") {
        return Some((unset.strip_suffix(" is not set")?, "n"));
    }
    line.strip_prefix("CONFIG_")?.split_once('=')
}

fn explain(kbuild: &Kbuild, lost: &[&str]) -> anyhow::Error {
    if !lost.contains(&"CONFIG_RUST=y") {
        return fault(
            format!("Kconfig does not honour:\n  {}", lost.join("\n  ")),
            "see what these options depend on, and adapt lab/data/kernel.config",
        );
    }
    // Kbuild itself knows best what it misses.
    let reason = match output(&kbuild.make(&["-s", "rustavailable"])) {
        Ok(_) => "`make rustavailable` sees no reason".to_string(),
        Err(reason) => format!("{reason:#}"),
    };
    Err::<(), _>(anyhow::anyhow!(
        "this toolchain cannot build Rust in this kernel: {reason}"
    ))
    .help("bring the tools that it names, then try again")
    .unwrap_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "CONFIG_A=y\nCONFIG_N=8\n# CONFIG_B is not set\nCONFIG_S=\"x=y\"\n";

    #[test]
    fn all_lines_hold() {
        let fragment = "# Why.\nCONFIG_A=y\nCONFIG_N=8\n# CONFIG_B is not set\n\
                        # CONFIG_UNKNOWN is not set\nCONFIG_S=\"x=y\"\n";
        assert!(lost(fragment, CONFIG).is_empty());
    }

    #[test]
    fn lost_lines_are_told() {
        let fragment = "# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_N=4\nCONFIG_GONE=y\n";
        assert_eq!(lost(fragment, CONFIG).len(), 4);
    }

    #[test]
    fn other_differences_than_ours_are_told() {
        let one = format!("{CONFIG}CONFIG_KVM_ARM_FW_REGS_RUST=y\n");
        assert!(differences(&one, CONFIG).is_empty());
        let other = "CONFIG_A=y\nCONFIG_N=4\nCONFIG_C=y\nCONFIG_S=\"x=y\"\n";
        let told = ["CONFIG_C: n, y", "CONFIG_N: 8, 4"];
        assert_eq!(differences(&one, other), told);
    }

    #[test]
    fn only_the_line_after_the_mark_is_optional() {
        let fragment = "# optional: on some machines\nCONFIG_B=y\nCONFIG_GONE=y\n";
        assert_eq!(lost(fragment, CONFIG), ["CONFIG_GONE=y"]);
    }
}
