// SPDX-License-Identifier: GPL-2.0

//! What the lab needs from Debian, as `lab/data/debian.toml` lists it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;
use serde::{Deserialize, Serialize};

use crate::base::process::find_program;
use crate::base::project::Project;
use crate::base::version::Version;

/// The file `lab/data/debian.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    pub suites: Vec<String>,
    pub keyrings: Vec<PathBuf>,
    pub minimum: Minimum,
    pub oldest: Oldest,
    pub kernels: Kernels,
    pub pinned: Pinned,
    tools: BTreeMap<String, Tool>,
}

/// What few commands need tools for, besides those that build and boot kernels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// The kernel's documentation.
    Docs,
    /// libFuzzer.
    Fuzz,
    /// The fleet report in a browser.
    Report,
    /// sparse.
    Sparse,
    /// The kernel's `checkpatch.pl`.
    Style,
}

impl Purpose {
    pub const ALL: [Self; 5] = [
        Self::Docs,
        Self::Fuzz,
        Self::Report,
        Self::Sparse,
        Self::Style,
    ];
}

/// A package.
#[derive(Debug, Deserialize)]
struct Tool {
    #[serde(flatten)]
    sign: Sign,
    /// None: it builds or boots kernels.
    #[serde(rename = "for")]
    purpose: Option<Purpose>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    pub rustc: Version,
    pub llvm: u32,
    pub bindgen: Version,
}

/// Where the oldest versions that do are to be had.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oldest {
    pub suite: String,
    pub packages: Vec<String>,
}

/// The series of the kernel that are supported, from `oldest` to `newest`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernels {
    pub oldest: Version,
    pub newest: Version,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    pub bindgen: String,
    pub cargo_mutants: String,
}

/// What shows that a package is there, whoever installed it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
enum Sign {
    Program(String),
    File(PathBuf),
}

impl Packages {
    pub fn load(project: &Project) -> Result<Self> {
        let file = project.root().join("lab/data/debian.toml");
        toml::from_str(&fs::read_to_string(&file)?)
            .with_context(|| format!("cannot read {}", file.display()))
    }

    /// The packages for these purposes whose tools are not on this machine.
    pub fn missing(&self, purposes: &[Purpose]) -> Vec<String> {
        let wanted = |tool: &Tool| tool.purpose.is_none_or(|one| purposes.contains(&one));
        let mut missing: Vec<_> = self.tools.iter().collect();
        missing.retain(|(_, tool)| wanted(tool) && !tool.sign.is_there());
        let missing = missing.into_iter();
        missing.map(|(package, _)| package.clone()).collect()
    }

    pub fn keyring(&self) -> Option<&Path> {
        let mut files = self.keyrings.iter().map(PathBuf::as_path);
        files.find(|file| file.exists())
    }
}

impl Kernels {
    /// Whether a kernel is of one of them. Which release of its series it is does not matter.
    pub fn have(&self, kernel: Version) -> bool {
        (self.oldest..=self.newest).contains(&kernel.series())
    }
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Linux {} to {}", self.oldest, self.newest)
    }
}

impl Sign {
    fn is_there(&self) -> bool {
        match self {
            Sign::Program(name) => find_program(name).is_some(),
            Sign::File(file) => file.exists(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_supported_by_its_series() {
        let version = |text: &str| text.parse::<Version>().unwrap();
        let (oldest, newest) = (version("7.2"), version("7.10"));
        let kernels = Kernels { oldest, newest };
        assert_eq!(kernels.to_string(), "Linux 7.2 to 7.10");
        let supported = |text| kernels.have(version(text));
        assert!(["7.2", "7.2.1", "7.9", "7.10.3"].into_iter().all(supported));
        assert!(!["7.1.9", "7.11", "8.0"].into_iter().any(supported));
    }

    #[test]
    fn the_list_can_be_read() {
        let packages = Packages::load(&Project::here()).unwrap();
        assert!(packages.tools.contains_key("make"));
        assert!(!packages.suites.is_empty());
    }
}
