// SPDX-License-Identifier: GPL-2.0

//! Which LLVM builds the C side of the kernel.
//!
//! Best is the major version that rustc has: only then can C helpers be inlined into Rust.

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

    pub fn is_here(self) -> bool {
        let mut programs = PROGRAMS.iter().map(|name| self.program(name));
        programs.all(|program| find_program(&program).is_some())
    }
}

/// The LLVM to use, which is here or in apt. Best is the major version `wanted`.
pub fn choose(wanted: u32, minimum: u32, apt: &Apt) -> Result<Llvm> {
    let suffixed = (minimum..=NEWEST).rev().chain([wanted]).map(suffixed);
    let here: Vec<Llvm> = suffixed
        .chain(unsuffixed())
        .filter(|llvm| llvm.is_here())
        .collect();
    let in_apt = |major: &u32| {
        let mut packages = packages(*major).into_iter();
        packages.all(|package| apt.candidate(&package).is_some())
    };
    best(wanted, minimum, &here, in_apt)
        .with_context(|| format!("no LLVM {minimum} or newer is here, and apt has none"))
        .help(format!(
            "put clang, lld and llvm {minimum} or newer on PATH, best {wanted}"
        ))
}

/// Debian's packages of a major version.
pub fn packages(major: u32) -> [String; 3] {
    ["clang", "lld", "llvm"].map(|name| format!("{name}-{major}"))
}

/// The LLVM of the major version that is wanted, from wherever it is to be had; else the newest
/// that is here, and else the newest in apt.
fn best(wanted: u32, minimum: u32, here: &[Llvm], in_apt: impl Fn(&u32) -> bool) -> Option<Llvm> {
    let matching = here.iter().find(|llvm| llvm.major == wanted).copied();
    let newest = here.iter().find(|llvm| llvm.major >= minimum).copied();
    matching
        .or_else(|| Some(wanted).filter(&in_apt).map(suffixed))
        .or(newest)
        .or_else(|| (minimum..=NEWEST).rev().find(in_apt).map(suffixed))
}

fn suffixed(major: u32) -> Llvm {
    let suffixed = true;
    Llvm { major, suffixed }
}

/// The LLVM whose programs have no version in their names.
fn unsuffixed() -> Option<Llvm> {
    let version = output(&command("clang", ["-dumpversion"])).ok()?;
    Some(Llvm {
        major: version.split('.').next()?.parse().ok()?,
        suffixed: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustcs_own_version_is_best_and_what_is_here_comes_before_apt() {
        let chosen = |here: &[u32], unsuffixed: Option<u32>, apt: &[u32]| {
            let here = here.iter().map(|major| suffixed(*major));
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
        let llvm = suffixed(19);
        assert_eq!(
            (llvm.kbuild(), llvm.program("clang")),
            ("-19".into(), "clang-19".into())
        );
        assert_eq!(packages(19), ["clang-19", "lld-19", "llvm-19"]);
    }
}
