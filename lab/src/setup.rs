// SPDX-License-Identifier: GPL-2.0

//! Tools: finds what building and booting need, and gets what is missing.
//!
//! Nothing is remembered between runs. That a tool is there is seen by looking for it, which takes
//! no time worth saving.

mod apt;
pub mod debian;
mod llvm;
pub mod packages;
mod rust;
mod suite;
pub mod venv;
pub mod version;

use std::path::PathBuf;

use anyhow::Result;
use fs_err as fs;

use crate::disk::{whole_dir, Lock};
use crate::fault::fault;
use crate::project::Project;
use crate::ui::say;
use debian::Debian;
pub use llvm::Llvm;
use packages::Packages;
use rust::Rustc;

/// The tools that build a kernel, as Kbuild wants to be told.
#[derive(Debug)]
pub struct Toolchain {
    pub llvm: Llvm,
    pub bindgen: PathBuf,
    /// The source of Rust's standard library.
    pub rust_lib_src: PathBuf,
}

/// Makes sure that every tool is there.
pub fn ensure(project: &Project) -> Result<Toolchain> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    let packages = Packages::load(project)?;
    let rustc = Rustc::find(&packages)?;

    let mut missing = packages.missing();
    let (llvm, llvm_packages) = llvm::choose(project, &rustc, &packages)?;
    missing.extend(llvm_packages);
    missing.extend(rustc.missing_source());
    let bindgen = rust::find_bindgen(project, &packages);
    if bindgen.is_none() {
        missing.extend(rust::bindgen_package(project, &packages));
    }
    apt::install(project, &missing)?;

    let mut debian = Debian::new(project, &packages);
    let rust_lib_src = rustc.source(project, &mut debian)?;
    let bindgen = match bindgen.or_else(|| rust::find_bindgen(project, &packages)) {
        Some(bindgen) => bindgen,
        None => rust::build_bindgen(project, &packages)?,
    };
    ensure_busybox(project, &mut debian)?;
    Ok(Toolchain {
        llvm,
        bindgen,
        rust_lib_src,
    })
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
