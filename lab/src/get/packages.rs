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
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    pub suites: Vec<String>,
    pub keyrings: Vec<PathBuf>,
    pub minimum: Minimum,
    pub oldest: Oldest,
    pub kernels: Kernels,
    /// The suites that have QEMU for arm64 and its libraries, by QEMU's major version.
    pub qemu: BTreeMap<String, Vec<String>>,
    /// By package: a program, or the path of a file.
    tools: BTreeMap<Purpose, BTreeMap<String, String>>,
}

/// What tools are needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Kernels are built and booted: nearly every command does that.
    Build,
    Docs,
    Fuzz,
    Report,
    Sparse,
    Style,
}

impl Purpose {
    pub const ALL: [Self; 6] = [
        Self::Build,
        Self::Docs,
        Self::Fuzz,
        Self::Report,
        Self::Sparse,
        Self::Style,
    ];
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    pub rustc: Version,
    pub llvm: u32,
    pub bindgen: Version,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oldest {
    pub suite: String,
    pub packages: Vec<String>,
}

/// The series of the kernel that are supported, from `oldest` to `newest`.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernels {
    pub oldest: Version,
    pub newest: Version,
}

impl Packages {
    pub fn load(project: &Project) -> Result<Self> {
        let file = project.root().join("lab/data/debian.toml");
        toml::from_str(&fs::read_to_string(&file)?)
            .with_context(|| format!("cannot read {}", file.display()))
    }

    /// What signs the suites.
    pub fn keyring(&self) -> Result<&Path> {
        let keyring = self.keyrings.iter().find(|file| file.exists());
        let keyring = keyring.context("the package debian-archive-keyring is not installed")?;
        Ok(keyring)
    }

    /// The packages for building kernels and for these purposes whose tools are not on this
    /// machine, whoever would have installed them.
    pub fn missing(&self, purposes: &[Purpose]) -> Vec<String> {
        let is_wanted = |purpose| purpose == Purpose::Build || purposes.contains(&purpose);
        let wanted = self
            .tools
            .iter()
            .filter(|(purpose, _)| is_wanted(**purpose));
        let packages = wanted.flat_map(|(_, tools)| tools);
        let missing = packages.filter(|(_, sign)| match sign.starts_with('/') {
            true => !Path::new(sign).exists(),
            false => find_program(sign).is_none(),
        });
        missing.map(|(package, _)| package.clone()).collect()
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
        assert_eq!(packages.tools[&Purpose::Build]["make"], "make");
        assert!(Purpose::ALL
            .iter()
            .all(|purpose| packages.tools.contains_key(purpose)));
        assert!(!packages.suites.is_empty());
    }

    #[test]
    fn only_what_a_command_needs_is_missing() {
        let mut packages = Packages::load(&Project::here()).unwrap();
        let tools = |tools: &[(&str, &str)]| {
            let tools = tools
                .iter()
                .map(|(package, sign)| (package.to_string(), sign.to_string()));
            tools.collect::<BTreeMap<_, _>>()
        };
        packages.tools = BTreeMap::from([
            (
                Purpose::Build,
                tools(&[("here", "sh"), ("program", "no-such-program")]),
            ),
            (
                Purpose::Docs,
                tools(&[("here-too", "/"), ("file", "/no/such/file")]),
            ),
            (Purpose::Fuzz, tools(&[("other", "no-such-program")])),
        ]);
        assert_eq!(packages.missing(&[]), ["program"]);
        assert_eq!(packages.missing(&[Purpose::Docs]), ["program", "file"]);
    }
}
