// SPDX-License-Identifier: GPL-2.0

//! Tools: finds what building and booting need, and gets what is missing.
//!
//! What is there is seen by looking for it, each time. Only which tools build kernels is chosen
//! once and kept, in `out/tools.toml`.

mod apt;
mod debian;
pub mod kernel_config;
pub mod kernels;
mod llvm;
pub mod packages;
pub mod qemu;
mod rust;
pub mod source;
mod toolchain;
pub mod venv;

use std::path::PathBuf;

use anyhow::Result;

use crate::base::disk::{copy_whole, write_whole, Lock};
use crate::base::error::Help;
use crate::base::process::find_program;
use crate::base::progress::say;
use crate::base::project::Project;
use apt::Apt;
pub use debian::mirror;
use packages::Packages;
pub use packages::Purpose;
pub use toolchain::Toolchain;

/// Makes sure that the tools are there that build and boot kernels, and those for these purposes.
pub fn ensure(project: &Project, purposes: &[Purpose]) -> Result<Toolchain> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    let packages = Packages::load(project)?;
    let apt = Apt::find(project);
    let missing = packages.missing(purposes);
    let file = project.out("tools.toml");
    let tools = match Toolchain::chosen(&file, &packages.minimum) {
        Some(tools) => {
            apt.install(&missing)?;
            tools
        }
        None => {
            let tools = Toolchain::choose(project, &packages, &apt, missing)?;
            write_whole(&file, toml::to_string(&tools)?.as_bytes())?;
            tools
        }
    };
    ensure_busybox(project, &packages)?;
    Ok(tools)
}

/// Makes sure of a program that few need, and whose package has its name.
pub fn want(project: &Project, program: &str) -> Result<()> {
    want_from(project, program, &[program.to_owned()])
}

/// Makes sure of a program that comes with these packages.
pub fn want_from(project: &Project, program: &str, packages: &[String]) -> Result<()> {
    match find_program(program) {
        Some(_) => Ok(()),
        None => Apt::find(project).install(packages),
    }
}

/// Makes sure that the program is there that makes mutants, and tries them.
pub fn ensure_cargo_mutants(project: &Project) -> Result<PathBuf> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    let name = "cargo-mutants";
    rust::build(project, name, name, rust::CARGO_MUTANTS)
}

/// Gets the shell and tools of the emulated hosts.
fn ensure_busybox(project: &Project, packages: &Packages) -> Result<()> {
    let busybox = project.busybox();
    if busybox.exists() {
        return Ok(());
    }
    let found = debian::first(project, packages, "busybox-static", |_| true).help(format!(
        "put a static arm64 busybox at {}",
        busybox.display()
    ))?;
    let unpacked = tempfile::tempdir()?;
    found.unpack(unpacked.path())?;
    let places = ["usr/bin/busybox", "bin/busybox"].map(|place| unpacked.path().join(place));
    let [new, old] = &places;
    copy_whole(if new.exists() { new } else { old }, &busybox)?;
    let version = &found.version;
    say(format!("took busybox-static {version} (arm64) from Debian"));
    Ok(())
}
