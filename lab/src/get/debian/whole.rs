// SPDX-License-Identifier: GPL-2.0

//! A package with all that it depends on, as apt would install it where nothing is installed.

use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use super::{mirror, unpack, Suite};
use crate::base::error::Help;
use crate::base::process::{logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get::packages::Packages;

/// Unpacks a package, and all that it depends on, into a directory: the newest of the last of these
/// suites. Returns its version.
pub fn unpack_whole(
    project: &Project,
    packages: &Packages,
    suites: &[String],
    arch: &str,
    package: &str,
    into: &Path,
) -> Result<String> {
    let (mirror, keyring) = (mirror(project)?, packages.keyring()?);
    let suite = Suite::open(project, suites, arch, &mirror, keyring)?;
    let suite = suite.with_context(|| format!("the mirror does not have {}", suites.join(", ")))?;
    suite.unpack_whole(suites.last().context("no suite")?, package, into)
}

impl Suite {
    /// As [`unpack_whole`], with the packages that apt chooses where none is installed.
    fn unpack_whole(&self, newest_in: &str, package: &str, into: &Path) -> Result<String> {
        let candidate = output(&self.apt("apt-cache", &["policy", package, "-t", newest_in]))?;
        let version = candidate
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "));
        let version = version.filter(|version| *version != "(none)");
        let version = version.with_context(|| format!("{newest_in} has no {package}"))?;
        let wanted = format!("{package}={version}");
        // What another version left behind would be unpacked, too.
        let debs = tempfile::tempdir_in(into)?;
        fs::create_dir(debs.path().join("partial"))?;
        let place = format!("Dir::Cache::archives={}", debs.path().display());
        let args = [
            "install",
            "-y",
            "--download-only",
            "--no-install-recommends",
            "-t",
            newest_in,
            "-o",
            &place,
            &wanted,
        ];

        let what = format!(
            "downloading {package} {version} ({}) and its libraries",
            self.arch
        );
        let step = Step::spinner(&*what);
        let get = self.apt("apt-get", &args);
        logged(&what, &get, &self.log, |line| {
            step.message(format!("apt: {line}"));
        })
        .help("is the network up? then try again")?;
        for entry in fs::read_dir(debs.path())? {
            let deb = entry?.path();
            if deb.extension().is_some_and(|extension| extension == "deb") {
                unpack(&deb, into)?;
            }
        }
        Ok(version.to_owned())
    }
}
