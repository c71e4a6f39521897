// SPDX-License-Identifier: GPL-2.0

//! Which LLVM builds the C side of the kernel.
//!
//! Best is the major version that rustc has: only then can C helpers be inlined into Rust.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::apt::Apt;
use crate::base::error::Help;
use crate::base::process::{command, find_program, output};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Debian's.
    fn suffixed(major: u32) -> Self {
        let suffixed = true;
        Self { major, suffixed }
    }

    /// The packages that bring it, unless it is here.
    pub fn missing(self) -> Vec<String> {
        match self.is_here() {
            true => Vec::new(),
            false => packages(self.major).into(),
        }
    }

    fn is_here(self) -> bool {
        let mut programs = PROGRAMS.iter().map(|name| self.program(name));
        programs.all(|program| find_program(&program).is_some())
    }
}

/// The LLVM to use, which is here or in apt. Best is the major version `wanted`.
pub fn choose(wanted: u32, minimum: u32, apt: Option<&Apt>) -> Result<Llvm> {
    let suffixed = (minimum..=NEWEST).rev().chain([wanted]);
    let here = suffixed.map(Llvm::suffixed).filter(|llvm| llvm.is_here());
    let here: Vec<Llvm> = here.chain(unsuffixed()).collect();
    let in_apt = |major: &u32| {
        let names = packages(*major);
        apt.is_some_and(|apt| names.iter().all(|name| apt.candidate(name).is_some()))
    };
    best(wanted, minimum, &here, in_apt)
        .with_context(|| format!("no LLVM {minimum} or newer is here, and apt has none"))
        .help(format!(
            "put clang, lld and llvm {minimum} or newer on PATH, best {wanted}"
        ))
}

fn packages(major: u32) -> [String; 3] {
    ["clang", "lld", "llvm"].map(|name| format!("{name}-{major}"))
}

/// The LLVM of the major version that is wanted, from wherever it is to be had; else the newest
/// that is here, and else the newest in apt.
fn best(wanted: u32, minimum: u32, here: &[Llvm], in_apt: impl Fn(&u32) -> bool) -> Option<Llvm> {
    let find = |does: &dyn Fn(u32) -> bool| here.iter().find(|llvm| does(llvm.major)).copied();
    let from_apt = |major: Option<u32>| major.map(Llvm::suffixed);
    find(&|major| major == wanted)
        .or_else(|| from_apt(Some(wanted).filter(&in_apt)))
        .or_else(|| find(&|major| major >= minimum))
        .or_else(|| from_apt((minimum..=NEWEST).rev().find(&in_apt)))
}

/// The LLVM whose programs have no version in their names.
fn unsuffixed() -> Option<Llvm> {
    let version = output(&command("clang", ["-dumpversion"])).ok()?;
    let llvm = Llvm {
        major: version.trim().split('.').next()?.parse().ok()?,
        suffixed: false,
    };
    llvm.is_here().then_some(llvm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustcs_own_version_is_best_and_what_is_here_comes_before_apt() {
        let chosen = |here: &[u32], unsuffixed: Option<u32>, apt: &[u32]| {
            let here = here.iter().map(|major| Llvm::suffixed(*major));
            let unsuffixed = unsuffixed.map(|major| Llvm {
                major,
                suffixed: false,
            });
            let here: Vec<Llvm> = here.chain(unsuffixed).collect();
            let llvm = best(22, 17, &here, |major| apt.contains(major))?;
            Some((llvm.kbuild(), here.contains(&llvm)))
        };
        let is = |name: &str, is_here| Some((name.to_owned(), is_here));
        assert_eq!(chosen(&[22, 19], Some(22), &[22]), is("-22", true));
        assert_eq!(chosen(&[19], Some(22), &[22]), is("1", true));
        assert_eq!(chosen(&[19], Some(21), &[19, 22]), is("-22", false));
        assert_eq!(chosen(&[19, 18], Some(21), &[21]), is("-19", true));
        assert_eq!(chosen(&[16], Some(21), &[20]), is("1", true));
        assert_eq!(chosen(&[16], Some(16), &[18, 20]), is("-20", false));
        assert_eq!(chosen(&[16], None, &[16]), None);
    }

    #[test]
    fn programs_have_the_names_that_kbuild_gives_them() {
        let llvm = Llvm::suffixed(19);
        assert_eq!(
            (llvm.kbuild(), llvm.program("clang")),
            ("-19".into(), "clang-19".into())
        );
        assert_eq!(packages(19), ["clang-19", "lld-19", "llvm-19"]);
    }
}
