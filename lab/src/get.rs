// SPDX-License-Identifier: GPL-2.0

//! Tools: finds what building and booting need, and gets what is missing.
//!
//! What is there is seen by looking for it, each time. Only which tools build kernels is chosen
//! once and kept, in `out/tools.toml`.

mod apt;
pub mod debian;
mod llvm;
pub mod packages;
mod rust;
pub mod source;
mod suite;
mod toolchain;
pub mod venv;

use std::path::PathBuf;

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{whole_dir, Lock};
use crate::base::error::fault;
use crate::base::process::find_program;
use crate::base::progress::say;
use crate::base::project::Project;
use apt::Apt;
use debian::Debian;
use packages::Packages;
pub use packages::Purpose;
use rust::Rustc;
pub use suite::mirror;
pub use toolchain::Toolchain;

/// Makes sure that the tools are there that build and boot kernels, and those for these purposes.
pub fn ensure(project: &Project, purposes: &[Purpose]) -> Result<Toolchain> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    let packages = Packages::load(project)?;
    let apt = Apt::find(project);
    let mut debian = Debian::new(project, &packages);
    let chosen = project.out("tools.toml");
    let tools = match Toolchain::chosen(&chosen, &packages.minimum) {
        Some(tools) => {
            apt::install(apt.as_ref(), &packages.missing(purposes))?;
            tools
        }
        None => {
            let tools = choose(project, &packages, purposes, apt.as_ref(), &mut debian)?;
            tools.keep(&chosen)?;
            tools
        }
    };
    ensure_busybox(project, &mut debian)?;
    Ok(tools)
}

/// Chooses the tools that build kernels, and gets all that is missing.
fn choose(
    project: &Project,
    packages: &Packages,
    purposes: &[Purpose],
    apt: Option<&Apt>,
    debian: &mut Debian,
) -> Result<Toolchain> {
    let rustc = Rustc::find(packages)?;
    let mut missing = packages.missing(purposes);
    let (llvm, llvm_packages) = llvm::choose(&rustc, packages, apt)?;
    missing.extend(llvm_packages);
    missing.extend(rustc.missing_source());
    let bindgen = rust::find_bindgen(project, packages);
    if bindgen.is_none() {
        missing.extend(rust::bindgen_package(apt, packages));
    }
    apt::install(apt, &missing)?;

    let rust_lib_src = rustc.source(project, debian)?;
    let bindgen = match bindgen.or_else(|| rust::find_bindgen(project, packages)) {
        Some(bindgen) => bindgen,
        None => rust::build_bindgen(project, packages)?,
    };
    Toolchain::new(llvm, bindgen, rust_lib_src, packages.minimum.clone())
}

/// Makes sure of a program that few need, and whose package has its name.
pub fn want(project: &Project, program: &str) -> Result<()> {
    match find_program(program) {
        Some(_) => Ok(()),
        None => apt::install(Apt::find(project).as_ref(), &[program.to_owned()]),
    }
}

/// Makes sure that the program is there that makes mutants, and tries them.
pub fn ensure_cargo_mutants(project: &Project) -> Result<PathBuf> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    rust::cargo_mutants(project, &Packages::load(project)?)
}

/// Gets the shell and tools of the emulated hosts.
fn ensure_busybox(project: &Project, debian: &mut Debian) -> Result<()> {
    let busybox = project.busybox();
    if busybox.exists() {
        return Ok(());
    }
    let Some(found) = debian.first("busybox-static", |_| true)? else {
        return Err(fault(
            format!(
                "no busybox-static for arm64 in Debian ({})",
                debian.suite_names()
            ),
            format!("put a static arm64 busybox at {}", busybox.display()),
        ));
    };
    let unpacked = project.out("cache/busybox");
    debian.unpack(&found, &unpacked)?;
    if !busybox.exists() {
        // Debian's package has it below usr/.
        whole_dir(&unpacked.join("bin"), |bin| {
            fs::copy(unpacked.join("usr/bin/busybox"), bin.join("busybox"))?;
            Ok(())
        })?;
    }
    say(format!(
        "took busybox-static {} (arm64) from Debian",
        found.version
    ));
    Ok(())
}
