// SPDX-License-Identifier: GPL-2.0

//! Which LLVM builds the C side of the kernel.
//!
//! Best is the major version that rustc has: only then can C helpers be inlined into Rust.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::apt::Apt;
use super::packages::Packages;
use super::rust::Rustc;
use crate::base::error::fault;
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
    rustc: &Rustc,
    packages: &Packages,
    apt: Option<&Apt>,
) -> Result<(Llvm, Vec<String>)> {
    let (wanted, minimum) = (rustc.llvm, packages.minimum.llvm);
    let in_apt = |llvm: &Llvm| {
        let names = llvm.packages();
        apt.is_some_and(|apt| names.iter().all(|name| apt.candidate(name).is_some()))
    };
    best(
        wanted,
        minimum,
        |llvm| llvm.is_there(),
        unsuffixed(),
        in_apt,
    )
    .ok_or_else(|| {
        fault(
            format!("no LLVM {minimum} or newer is here, and apt has none"),
            format!("put clang, lld and llvm {minimum} or newer on PATH, best {wanted}"),
        )
    })
}

/// The LLVM of the major version that is wanted, from wherever it is to be had; else the newest
/// that is here, and else the newest in apt.
fn best(
    wanted: u32,
    minimum: u32,
    is_there: impl Fn(&Llvm) -> bool,
    unsuffixed: Option<Llvm>,
    in_apt: impl Fn(&Llvm) -> bool,
) -> Option<(Llvm, Vec<String>)> {
    let debian = |major| Llvm {
        major,
        suffixed: true,
    };
    let newest_first = || (minimum..=NEWEST).rev().map(debian);
    let here = |llvm| (llvm, Vec::new());
    let from_apt = |llvm: Llvm| (llvm, llvm.packages().into());
    let matching = || [debian(wanted)].into_iter();

    (matching().find(&is_there).map(here))
        .or_else(|| unsuffixed.filter(|llvm| llvm.major == wanted).map(here))
        .or_else(|| matching().find(&in_apt).map(from_apt))
        .or_else(|| newest_first().find(&is_there).map(here))
        .or_else(|| unsuffixed.filter(|llvm| llvm.major >= minimum).map(here))
        .or_else(|| newest_first().find(&in_apt).map(from_apt))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustcs_own_version_is_best_and_what_is_here_comes_before_apt() {
        let plain = |major| Llvm {
            major,
            suffixed: false,
        };
        let chosen = |here: &[u32], unsuffixed: Option<u32>, in_apt: &[u32]| {
            let is_there = |llvm: &Llvm| here.contains(&llvm.major);
            let in_apt = |llvm: &Llvm| in_apt.contains(&llvm.major);
            let found = best(22, 17, is_there, unsuffixed.map(plain), in_apt)?;
            Some((found.0.kbuild(), found.1.len()))
        };
        let is = |name: &str, packages| Some((name.to_owned(), packages));
        assert_eq!(chosen(&[19, 22], Some(22), &[22]), is("-22", 0));
        assert_eq!(chosen(&[19], Some(22), &[22]), is("1", 0));
        assert_eq!(chosen(&[19], Some(21), &[19, 22]), is("-22", 3));
        assert_eq!(chosen(&[18, 19], Some(21), &[21]), is("-19", 0));
        assert_eq!(chosen(&[16], Some(21), &[20]), is("1", 0));
        assert_eq!(chosen(&[16], Some(16), &[18, 20]), is("-20", 3));
        assert_eq!(chosen(&[16], None, &[16]), None);
    }
}
