// SPDX-License-Identifier: GPL-2.0

//! How large the handlers are: what their object file has, and how deep their stack is.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use duct::cmd;
use fs_err as fs;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use serde::Serialize;

use crate::base::disk::is_made_with;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::{Handlers, Project};
use crate::build::kernel::make::Kbuild;
use crate::build::kernel::{config, copy_build};
use crate::get::Toolchain;

/// What the KUnit tests bring is not the handlers'.
const CONFIG: &str = "# CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST is not set";

/// How the names of functions begin that do what the handlers in C do not: they allow an ID
/// register's new value, serve the capability, make VMs strict by the module's parameter, and are run
/// at boot, with what the message then is made of.
const APART: [&str; 7] = [
    "kvm_arm_fw_reg_allow_ssbs",
    "kvm_arm_fw_regs_enable",
    "kvm_arm_fw_regs_flags",
    "kvm_arm_fw_regs_init_vm",
    "__kvm_arm_fw_regs_",
    "<fw_regs::FwRegs as kernel::module::Module>",
    "<kernel::fmt::Adapter<",
];

/// All in bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sizes {
    /// Code, without the sections that the kernel drops after boot.
    pub text: u64,
    /// Constants.
    pub rodata: u64,
    /// The largest frame.
    pub stack: u64,
    /// The code by function, without those that are inlined.
    pub functions: Vec<(String, u64)>,
}

impl Sizes {
    /// The code that has no counterpart in the handlers in C.
    pub fn apart(&self) -> u64 {
        let functions = self.functions.iter();
        functions
            .filter(|(name, _)| APART.iter().any(|start| name.starts_with(start)))
            .map(|(_, size)| size)
            .sum()
    }
}

/// Those of the handlers in C and in Rust.
pub fn of_both(project: &Project, tools: &Toolchain) -> Result<[Sizes; 2]> {
    let c = project
        .build_dir(Handlers::C)
        .join("arch/arm64/kvm/fw_regs.o");
    let rust = without_kunit(project, tools)?;
    Ok([
        Sizes::of(project, tools, &c)?,
        Sizes::of(project, tools, &rust)?,
    ])
}

/// Builds the Rust handlers without their KUnit tests.
fn without_kunit(project: &Project, tools: &Toolchain) -> Result<std::path::PathBuf> {
    const OBJECT: &str = "arch/arm64/kvm/fw_regs/fw_regs.o";

    let dir = project.base().join("build/sizes");
    if !is_made_with(&dir, &tools.fingerprint()) {
        copy_build(&project.build_dir(Handlers::Rust), &dir)?;
    }
    let kbuild = Kbuild::new(&project.tree(), &dir, tools);
    let fragment = config::fragment(project, Handlers::Rust)? + CONFIG + "\n";
    config::make(
        &kbuild,
        config::START,
        &fragment,
        &project.log("config-sizes"),
    )?;
    config::holds(&kbuild, CONFIG)?;

    let step = Step::spinner("building the handlers without their tests");
    logged(
        "building the handlers without their tests",
        &kbuild.make(&[OBJECT]),
        &project.log("sizes"),
        |line| step.message(line.trim().to_owned()),
    )?;
    Ok(dir.join(OBJECT))
}

impl Sizes {
    fn of(project: &Project, tools: &Toolchain, object: &Path) -> Result<Self> {
        let bytes = fs::read(object)?;
        let file = object::File::parse(&*bytes)
            .with_context(|| format!("cannot read {}", object.display()))?;
        let sections = |wanted: &str| -> u64 {
            let of_that_kind = file.sections().filter(|section| {
                section
                    .name()
                    .is_ok_and(|name| name == wanted || name.starts_with(&format!("{wanted}.")))
            });
            of_that_kind.map(|section| section.size()).sum()
        };
        let text = file.section_by_name(".text").context("no code")?;
        let mut functions: Vec<(String, u64)> = file
            .symbols()
            .filter(|symbol| {
                symbol.kind() == SymbolKind::Text && symbol.section_index() == Some(text.index())
            })
            .map(|symbol| {
                let name = rustc_demangle::demangle(symbol.name()?);
                // Without the hashes of crates.
                Ok((format!("{name:#}"), symbol.size()))
            })
            .collect::<Result<_>>()?;
        functions.retain(|(_, size)| *size > 0);
        functions.sort();
        ensure!(!functions.is_empty(), "{}: no code", object.display());
        Ok(Self {
            text: sections(".text"),
            rodata: sections(".rodata"),
            stack: stack(project, tools, object)?,
            functions,
        })
    }
}

/// The largest frame, as the kernel's own script finds it.
fn stack(project: &Project, tools: &Toolchain, object: &Path) -> Result<u64> {
    let script = project.tree().join("scripts/checkstack.pl");
    let objdump = tools.llvm.program("llvm-objdump");
    let text = cmd!(objdump, "-d", object)
        .pipe(cmd!("perl", script, "arm64", "1"))
        .read()?;
    largest_frame(&text).context("no function has a frame")
}

/// A line of the script's is `address function [file]:bytes`.
fn largest_frame(text: &str) -> Option<u64> {
    let sizes = text.lines().filter_map(|line| line.rsplit_once(':'));
    sizes.filter_map(|(_, size)| size.trim().parse().ok()).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read() {
        let text = "0x0000000000000940 kvm_arm_set_fw_reg [fw_regs.o]:\t96\n\
                    0x0000000000000514 kvm_arm_get_fw_reg [fw_regs.o]:48\n";
        assert_eq!(largest_frame(text), Some(96));
        assert_eq!(largest_frame(""), None);
    }
}
