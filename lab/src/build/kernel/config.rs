// SPDX-License-Identifier: GPL-2.0

//! A kernel's configuration: a tinyconfig with `lab/data/kernel.config` on top.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use super::make::Kbuild;
use crate::base::error::{fault, Help};
use crate::base::kernel::{Handlers, Kernel};
use crate::base::process::{logged, output};
use crate::base::project::Project;

/// Where a kernel's configuration begins.
pub const START: &str = "tinyconfig";

/// What the names of our own options begin with.
const OURS: &str = "KVM_ARM_FW_REGS_";

/// Configures a build directory, unless it is configured just so already. `kconfig` is what the
/// Kconfig files of the tree say.
pub fn ensure(project: &Project, kbuild: &Kbuild, kernel: Kernel, kconfig: &str) -> Result<()> {
    // What the present .config was made from. An optional line that was dropped is tried again.
    let note = kbuild.build_dir.join("lab.config");
    let fragment = fragment(project, kernel)?;
    let made_from = format!("{fragment}\n{kconfig}\n");
    let is_noted = fs::read_to_string(&note).is_ok_and(|before| before == made_from);
    if is_noted && read(kbuild).is_ok_and(|config| lost(&fragment, &config).is_empty()) {
        return Ok(());
    }
    // One that is not finished is made again.
    if note.exists() {
        fs::remove_file(&note)?;
    }
    make_unchecked(project, kbuild, kernel)?;
    holds(kbuild, &fragment)?;
    Ok(fs::write(note, made_from)?)
}

/// Configures a build directory, also for a tree that lacks some of our options: these are left out.
pub fn make_unchecked(project: &Project, kbuild: &Kbuild, kernel: Kernel) -> Result<()> {
    let log = project.log(&format!("config-{kernel}"));
    make(kbuild, START, &fragment(project, kernel)?, &log)
}

/// Configures a build directory as `start` does, a target such as `allmodconfig`, with the lines of
/// a fragment on top.
pub fn make(kbuild: &Kbuild, start: &str, fragment: &str, log: &Path) -> Result<()> {
    fs::create_dir_all(&kbuild.build_dir)?;
    logged(start, &kbuild.make(&[start]), log, |_| ())?;
    let text = fs::read_to_string(kbuild.build_dir.join(".config"))?;
    complete(kbuild, &text, fragment, log)
}

/// Configures a build directory with the text of a configuration, and the lines of a fragment on
/// top.
pub fn complete(kbuild: &Kbuild, text: &str, fragment: &str, log: &Path) -> Result<()> {
    fs::create_dir_all(&kbuild.build_dir)?;
    fs::write(
        kbuild.build_dir.join(".config"),
        format!("{text}{fragment}"),
    )?;
    let make = kbuild.make(&["olddefconfig"]);
    logged("olddefconfig", &make, log, |_| ())
}

/// Refuses a configuration that is not what the fragment says. Kbuild changes it without a word
/// where a tool has gone.
pub fn holds(kbuild: &Kbuild, fragment: &str) -> Result<()> {
    let config = read(kbuild)?;
    let lost = lost(fragment, &config);
    if lost.is_empty() {
        return Ok(());
    }
    if lost.contains(&"CONFIG_RUST=y") {
        // Kbuild itself knows best what it misses.
        output(&kbuild.make(&["-s", "rustavailable"]))
            .context("this toolchain cannot build Rust in this kernel")
            .help("install the tools that it names, then try again")?;
    }
    Err(fault(
        format!("Kconfig does not honour:\n  {}", lost.join("\n  ")),
        "see what these options depend on, and adapt lab/data/kernel.config",
    ))
}

/// What a kernel of ours has over a tinyconfig.
pub fn fragment(project: &Project, kernel: impl Into<Kernel>) -> Result<String> {
    let data = project.root().join("lab/data");
    let kernel = kernel.into();
    let fragment = fs::read_to_string(data.join("kernel.config"))?;
    let choice = match kernel.handlers() {
        Handlers::Rust => {
            "CONFIG_KVM_ARM_FW_REGS_RUST=y\n\
             CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST=y\n"
        }
        Handlers::C => "# CONFIG_KVM_ARM_FW_REGS_RUST is not set\n",
    };
    let doctests = match project.has_doctests() {
        true => "CONFIG_RUST_KERNEL_DOCTESTS=y\n",
        false => "",
    };
    let ours = format!("{fragment}\n{choice}{doctests}");
    Ok(match kernel {
        Kernel::Variant(variant) => {
            let file = data
                .join("variants")
                .join(format!("{}.config", variant.name()));
            on_top(&ours, &fs::read_to_string(file)?)
        }
        Kernel::Ours(_) | Kernel::Debian(_) => ours,
    })
}

/// A fragment that has lines of another one instead of its own.
fn on_top(fragment: &str, other: &str) -> String {
    let others: BTreeSet<&str> = symbols(other).collect();
    let lines = fragment.lines();
    let kept =
        lines.filter(|line| setting(line).is_none_or(|(symbol, _)| !others.contains(symbol)));
    kept.chain(other.lines())
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// What a fragment sets.
fn symbols(fragment: &str) -> impl Iterator<Item = &str> {
    fragment
        .lines()
        .filter_map(setting)
        .map(|(symbol, _)| symbol)
}

/// Makes sure that two kernels differ in nothing but the handlers.
pub fn refuse_differences(one: &Kbuild, other: &Kbuild) -> Result<()> {
    let differences = differences(&read(one)?, &read(other)?);
    if differences.is_empty() {
        return Ok(());
    }
    let dirs = [one, other].map(|kbuild| kbuild.build_dir.display());
    Err(fault(
        format!(
            "kernels that are compared differ in more than their handlers:\n  {}",
            differences.join("\n  ")
        ),
        format!("remove {} and {}, then try again", dirs[0], dirs[1]),
    ))
}

/// What two configurations have different, but for what chooses the handlers.
fn differences(one: &str, other: &str) -> Vec<String> {
    let (one, other) = (settings(one), settings(other));
    let symbols: BTreeSet<_> = one.keys().chain(other.keys()).collect();
    let differing = symbols
        .into_iter()
        .filter(|symbol| !symbol.starts_with(OURS) && one.get(*symbol) != other.get(*symbol));
    differing.map(|symbol| format!("CONFIG_{symbol}")).collect()
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

/// The lines of a fragment that do not hold in a finished configuration.
fn lost<'f>(fragment: &'f str, config: &str) -> Vec<&'f str> {
    let config = settings(config);
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

fn read(kbuild: &Kbuild) -> Result<String> {
    Ok(fs::read_to_string(kbuild.build_dir.join(".config"))?)
}

/// What a configuration sets. A symbol that is not set is like one that is not there.
fn settings(config: &str) -> BTreeMap<&str, &str> {
    let settings = config.lines().filter_map(setting);
    settings.filter(|(_, value)| *value != "n").collect()
}

/// The symbol and value that a line sets.
fn setting(line: &str) -> Option<(&str, &str)> {
    if let Some(unset) = line.strip_prefix("# CONFIG_") {
        return Some((unset.strip_suffix(" is not set")?, "n"));
    }
    line.strip_prefix("CONFIG_")?.split_once('=')
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
    fn a_variant_has_lines_of_its_own() {
        let both = on_top(
            "# Why.\nCONFIG_A=y\nCONFIG_B=y\n",
            "# CONFIG_A is not set\nCONFIG_C=1\n",
        );
        assert_eq!(
            both,
            "# Why.\nCONFIG_B=y\n# CONFIG_A is not set\nCONFIG_C=1\n"
        );
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
        let told = ["CONFIG_C", "CONFIG_N"];
        assert_eq!(differences(&one, other), told);
    }

    #[test]
    fn only_the_line_after_the_mark_is_optional() {
        let fragment = "# optional: on some machines\nCONFIG_B=y\nCONFIG_GONE=y\n";
        assert_eq!(lost(fragment, CONFIG), ["CONFIG_GONE=y"]);
    }
}
