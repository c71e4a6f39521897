// SPDX-License-Identifier: GPL-2.0

//! Packages of Debian that need not be installed, only unpacked: sources, and programs for arm64.
//!
//! They are looked for in the suites that `lab/data/debian.toml` lists, on the mirror that the machine
//! uses anyway. apt checks Debian's signatures.

use std::path::Path;

use anyhow::Result;
use fs_err as fs;

use super::packages::Packages;
use super::suite::Suite;
use crate::base::disk::whole_dir;
use crate::base::process::{command, output};
use crate::base::project::Project;

/// A package at one version, in the suite of that index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    suite: usize,
    pub package: String,
    pub version: String,
}

impl Found {
    #[cfg(test)]
    pub fn new(suite: usize, package: &str, version: &str) -> Self {
        Self {
            suite,
            package: package.to_string(),
            version: version.to_string(),
        }
    }
}

pub struct Debian<'a> {
    project: &'a Project,
    packages: &'a Packages,
    /// Beside `packages.suites`: opened on first use; `Some(None)` is one that the mirror lacks.
    suites: Vec<Option<Option<Suite>>>,
}

impl<'a> Debian<'a> {
    pub fn new(project: &'a Project, packages: &'a Packages) -> Self {
        let suites = packages.suites.iter().map(|_| None).collect();
        Self {
            project,
            packages,
            suites,
        }
    }

    /// The package at a version that `wanted` takes, from the first suite that has it.
    pub fn first(&mut self, package: &str, wanted: impl Fn(&str) -> bool) -> Result<Option<Found>> {
        for index in 0..self.suites.len() {
            let Some(suite) = self.suite(index)? else {
                continue;
            };
            let mut versions = suite.versions(package)?.into_iter();
            if let Some(version) = versions.find(|version| wanted(version)) {
                return Ok(Some(Found {
                    suite: index,
                    package: package.to_string(),
                    version,
                }));
            }
        }
        Ok(None)
    }

    /// Every version of the packages whose names begin so, in all suites.
    pub fn all(&mut self, prefix: &str) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        for index in 0..self.suites.len() {
            let Some(suite) = self.suite(index)? else {
                continue;
            };
            for package in suite.names(prefix)? {
                for version in suite.versions(&package)? {
                    all.push(Found {
                        suite: index,
                        package: package.clone(),
                        version,
                    });
                }
            }
        }
        Ok(all)
    }

    /// Downloads a package and unpacks it into the directory `into`, which appears when all of it
    /// is there.
    pub fn unpack(&mut self, found: &Found, into: &Path) -> Result<()> {
        let Some(suite) = self.suite(found.suite)? else {
            anyhow::bail!("{} is gone", found.package);
        };
        let deb = suite.download(&found.package, &found.version)?;
        whole_dir(into, |dir| {
            let args = ["-x".as_ref(), deb.as_os_str(), dir.as_os_str()];
            output(&command("dpkg-deb", args)).map(drop)
        })?;
        fs::remove_file(deb)?;
        Ok(())
    }

    /// The names of the suites that are looked at, for messages.
    pub fn suite_names(&self) -> String {
        self.packages.suites.join(", ")
    }

    fn suite(&mut self, index: usize) -> Result<Option<&Suite>> {
        let slot = &mut self.suites[index];
        if slot.is_none() {
            let name = &self.packages.suites[index];
            *slot = Some(Suite::open(self.project, self.packages, name)?);
        }
        Ok(slot.as_ref().and_then(Option::as_ref))
    }
}
