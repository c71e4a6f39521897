// SPDX-License-Identifier: GPL-2.0

//! Which LLVM builds the C side of the kernel.
//!
//! Best is the major version that rustc has: only then can C helpers be inlined into Rust.

use std::path::PathBuf;

use anyhow::Result;

use super::apt;
use super::packages::Packages;
use super::rust::Rustc;
use crate::fault::fault;
use crate::process::{command, find_program, output};
use crate::project::Project;

/// No LLVM is newer than this one; the search begins here.
const NEWEST: u32 = 40;

/// The programs that Kbuild takes from an LLVM.
const PROGRAMS: [&str; 6] = [
    "clang",
    "ld.lld",
    "llvm-ar",
    "llvm-nm",
    "llvm-objcopy",
    "llvm-strip",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Llvm {
    pub major: u32,
    /// Whether its programs have the major version in their names, as Debian's have.
    suffixed: bool,
}

impl Llvm {
    /// The value of Kbuild's `LLVM=`.
    pub fn kbuild(self) -> String {
        match self.suffixed {
            true => format!("-{}", self.major),
            false => "1".into(),
        }
    }

    /// The name of one of its programs.
    pub fn program(self, name: &str) -> String {
        match self.suffixed {
            true => format!("{name}-{}", self.major),
            false => name.to_owned(),
        }
    }

    /// Where bindgen finds the libclang of the same version, in Debian's layout.
    pub fn lib_dir(self) -> Option<PathBuf> {
        let dir = PathBuf::from(format!("/usr/lib/llvm-{}/lib", self.major));
        dir.exists().then_some(dir)
    }

    fn packages(self) -> [String; 3] {
        ["clang", "lld", "llvm"].map(|name| format!("{name}-{}", self.major))
    }

    fn is_there(self) -> bool {
        PROGRAMS
            .iter()
            .all(|name| find_program(&self.program(name)).is_some())
    }
}

/// The LLVM to use, and the packages that are missing for it.
pub fn choose(
    project: &Project,
    rustc: &Rustc,
    packages: &Packages,
) -> Result<(Llvm, Vec<String>)> {
    let debian = |major| Llvm {
        major,
        suffixed: true,
    };
    let in_apt = |llvm: &Llvm| {
        llvm.packages()
            .iter()
            .all(|name| apt::candidate(project, name).is_some())
    };
    let minimum = packages.minimum.llvm;

    let matching = debian(rustc.llvm);
    if matching.is_there() {
        return Ok((matching, Vec::new()));
    }
    if let Some(llvm) = unsuffixed().filter(|llvm| llvm.major == rustc.llvm) {
        return Ok((llvm, Vec::new()));
    }
    if in_apt(&matching) {
        return Ok((matching, matching.packages().into()));
    }
    let newest_first = || (minimum..=NEWEST).rev().map(debian);
    if let Some(llvm) = newest_first().find(|llvm| llvm.is_there()) {
        return Ok((llvm, Vec::new()));
    }
    if let Some(llvm) = unsuffixed().filter(|llvm| llvm.major >= minimum) {
        return Ok((llvm, Vec::new()));
    }
    if let Some(llvm) = newest_first().find(in_apt) {
        return Ok((llvm, llvm.packages().into()));
    }
    Err(fault(
        format!("no LLVM {minimum} or newer is here, and apt has none"),
        format!(
            "put clang, lld and llvm {minimum} or newer on PATH, best {}",
            rustc.llvm
        ),
    ))
}

/// The LLVM whose programs have no version in their names.
fn unsuffixed() -> Option<Llvm> {
    if !PROGRAMS.iter().all(|name| find_program(name).is_some()) {
        return None;
    }
    let major = output(&command("clang", ["-dumpversion"])).ok()?;
    Some(Llvm {
        major: major.trim().split('.').next()?.parse().ok()?,
        suffixed: false,
    })
}
