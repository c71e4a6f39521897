// SPDX-License-Identifier: GPL-2.0

//! How large the handlers are: what their object file has.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use object::{Object, ObjectSection, ObjectSymbol, Section, SymbolKind};

use super::Figures;
use crate::base::disk::is_made_with;
use crate::base::kernel::Handlers;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::Kbuild;
use crate::build::kernel::{config, copy_build};
use crate::get::Toolchain;

/// What the KUnit tests bring is not the handlers'.
const CONFIG: &str = "# CONFIG_KVM_ARM_FW_REGS_KUNIT_TEST is not set";

/// How the names of functions begin that do what the handlers in C do not: they allow an ID
/// register's new value, accept unknown registers, serve the capability, make VMs strict by the
/// module's parameter, and are run at boot, with what the message then is made of.
const APART: [&str; 8] = [
    "fw_regs::handlers::accept_unknown",
    "kvm_arm_fw_reg_allow_ssbs",
    "kvm_arm_fw_regs_enable",
    "kvm_arm_fw_regs_flags",
    "kvm_arm_fw_regs_init_vm",
    "__kvm_arm_fw_regs_",
    "<fw_regs::FwRegs as ",
    "<kernel::fmt::Adapter<",
];

/// Those of the handlers in C and in Rust.
pub fn of_both(project: &Project, tools: &Toolchain) -> Result<[Figures; 2]> {
    let c = project.build_dir(Handlers::C);
    let rust = without_kunit(project, tools)?;
    Ok([of(&c.join("arch/arm64/kvm/fw_regs.o"))?, of(&rust)?])
}

/// Builds the Rust handlers without their KUnit tests.
fn without_kunit(project: &Project, tools: &Toolchain) -> Result<PathBuf> {
    const OBJECT: &str = "arch/arm64/kvm/fw_regs/fw_regs.o";
    const WHAT: &str = "building the handlers without their tests";

    let dir = project.base().join("build/sizes");
    if !is_made_with(&dir, &tools.fingerprint()) {
        copy_build(&project.build_dir(Handlers::Rust), &dir)?;
    }
    let kbuild = Kbuild::new(&project.tree(), &dir, tools);
    let fragment = config::fragment(project, Handlers::Rust)? + CONFIG + "\n";
    let log = project.log("config-sizes");
    config::make(&kbuild, config::START, &fragment, &log)?;
    config::holds(&kbuild, CONFIG)?;

    let step = Step::spinner(WHAT);
    let make = kbuild.make(&[OBJECT]);
    logged(WHAT, &make, &project.log("sizes"), |line| {
        step.message(line.trim())
    })?;
    Ok(dir.join(OBJECT))
}

/// Code, without the sections that the kernel drops after boot, and constants, in bytes.
fn of(object: &Path) -> Result<Figures> {
    let bytes = fs::read(object)?;
    let file = object::File::parse(&*bytes)
        .with_context(|| format!("cannot read {}", object.display()))?;
    // Functions that are rarely called are in a section of their own, such as `.text.unlikely.`.
    let is_of = |section: &Section, wanted: &str| {
        let rest = section.name().ok().and_then(|it| it.strip_prefix(wanted));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let sections = |wanted: &str| -> u64 {
        let sections = file.sections().filter(|it| is_of(it, wanted));
        sections.map(|section| section.size()).sum()
    };
    let functions = file.symbols().filter(|symbol| {
        let section = symbol.section_index().map(|it| file.section_by_index(it));
        symbol.kind() == SymbolKind::Text
            && section.is_some_and(|it| it.is_ok_and(|it| is_of(&it, ".text")))
    });
    let apart = functions.filter(|function| function.name().is_ok_and(is_apart));
    let apart: u64 = apart.map(|function| function.size()).sum();
    let text = sections(".text");
    ensure!(text > apart, "{}: no code", object.display());
    let sizes = [
        ("bytes/text", text - apart),
        ("bytes/text-apart", apart),
        ("bytes/rodata", sections(".rodata")),
    ];
    let sizes = sizes.into_iter().filter(|(_, size)| *size > 0);
    Ok(sizes
        .map(|(name, size)| (name.to_owned(), size as f64))
        .collect())
}

/// Whether a symbol is of code that has no counterpart in the handlers in C.
fn is_apart(symbol: &str) -> bool {
    // Without the hashes of crates.
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    APART.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_that_c_has_not_is_told_by_its_name() {
        for symbol in [
            "__kvm_arm_fw_regs_init",
            "_RNvXCseb2PBTUTF0c_7fw_regsNtB2_6FwRegsNtNtCs1EKtwoKEMO2_6kernel6module6Module4init",
            // Linux 7.2 has the trait elsewhere.
            "_RNvXCseb2PBTUTF0c_7fw_regsNtB2_6FwRegsNtCs1EKtwoKEMO2_6kernel6Module4init",
        ] {
            assert!(is_apart(symbol), "{symbol}");
        }
        assert!(!is_apart("kvm_arm_set_fw_reg"));
    }
}
