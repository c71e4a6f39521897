// SPDX-License-Identifier: GPL-2.0

//! Debian's kernel source, as the package `linux-source-X.Y` holds it.

use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::ensure_space;
use crate::base::error::fault;
use crate::base::process::{command, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::debian::{Debian, Found};
use crate::get::packages::{Kernels, Packages};

/// Where the downloaded package is kept until the tree is made.
const PACKAGES: &str = "cache/source";

/// What the package takes on the disk, in GB.
const SPACE: u64 = 1;

/// Puts a supported kernel source into the empty directory `into`, and returns what it is.
pub fn fetch(project: &Project, into: &Path) -> Result<String> {
    let packages = Packages::load(project)?;
    let mut debian = Debian::new(project, &packages);
    let found = debian.all("linux-source-")?;
    let kernels = match project.series() {
        Some(series) => Kernels {
            oldest: series,
            newest: series,
        },
        None => packages.kernels,
    };
    let Some(chosen) = choose(&found, kernels) else {
        return Err(fault(
            format!(
                "the mirror has no linux-source package of {kernels} in {}",
                debian.suite_names()
            ),
            "pass a kernel tree of your own: KDIR=path",
        ));
    };
    let name = format!("{} {}", chosen.package, chosen.version);
    say(format!("taking {name} from Debian"));

    let package = project
        .out(PACKAGES)
        .join(format!("{}-{}", chosen.package, chosen.version));
    // There already if an earlier run was stopped after the download.
    if !package.exists() {
        ensure_space(&project.out("cache"), SPACE, "the download")?;
        debian.unpack(chosen, &package)?;
    }
    let archive = package.join(format!("usr/src/{}.tar.xz", chosen.package));
    let step = Step::spinner(format!("unpacking {name}"));
    let args = ["--strip-components=1", "-xJf"].map(Into::into);
    let places = [archive.into_os_string(), "-C".into(), into.into()];
    let tar = command("tar", args.into_iter().chain(places)).env("XZ_DEFAULTS", "-T0");
    output(&tar).context("cannot unpack the kernel source")?;
    step.done(format!("unpacked {name}"));
    Ok(name)
}

/// Removes the downloaded package, once it is no longer needed.
pub fn forget(project: &Project) -> Result<()> {
    let packages = project.out(PACKAGES);
    if packages.exists() {
        fs::remove_dir_all(packages)?;
    }
    Ok(())
}

/// The newest package of the newest series that is wanted.
fn choose(found: &[Found], wanted: Kernels) -> Option<&Found> {
    let rank = |found: &Found| {
        let series: Version = found.package.strip_prefix("linux-source-")?.parse().ok()?;
        let version = Version::find(&found.version);
        wanted.have(series).then_some((series, version))
    };
    let wanted = found.iter().filter(|found| rank(found).is_some());
    wanted.max_by_key(|found| rank(found))
}

/// The version of a kernel tree; none if it is not one.
pub fn version_of(tree: &Path) -> Option<Version> {
    let makefile = fs::read_to_string(tree.join("Makefile")).ok()?;
    let is_kernel = tree.join("arch/arm64/kvm").is_dir() && tree.join("Kbuild").is_file();
    is_kernel.then(|| version_in(&makefile)).flatten()
}

/// The version that a kernel's Makefile tells.
pub fn version_in(makefile: &str) -> Option<Version> {
    let field = |name: &str| {
        let mut lines = makefile.lines().filter_map(|line| line.strip_prefix(name));
        lines.next().map(|rest| rest.trim_start_matches([' ', '=']))
    };
    let version = format!("{}.{}", field("VERSION")?, field("PATCHLEVEL")?);
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(package: &str, version: &str) -> Found {
        Found::new(0, package, version)
    }

    #[test]
    fn the_newest_of_the_series_that_are_wanted_is_taken() {
        let found = [
            found("linux-source", "7.9"),
            found("linux-source-7.3", "7.3.9-1"),
            found("linux-source-7.3", "7.3.10-1~bpo13+1"),
            found("linux-source-7.4", "7.4.1-1"),
            found("linux-source-7.2", "7.2.99-1"),
            found("linux-source-7.10-rt", "7.10-1"),
        ];
        let version = |text: &str| text.parse::<Version>().unwrap();
        let chosen = |oldest, newest| {
            let (oldest, newest) = (version(oldest), version(newest));
            choose(&found, Kernels { oldest, newest })
        };
        assert_eq!(chosen("7.2", "7.3"), Some(&found[2]));
        assert_eq!(chosen("7.2", "7.5"), Some(&found[3]));
        assert_eq!(chosen("7.2", "7.2"), Some(&found[4]));
        assert_eq!(chosen("8.0", "8.1"), None);
    }

    #[test]
    fn the_version_of_a_tree() {
        let dir = tempfile::tempdir().unwrap();
        let makefile = "# x\nVERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n";
        fs::write(dir.path().join("Makefile"), makefile).unwrap();
        assert_eq!(version_of(dir.path()), None);
        fs::create_dir_all(dir.path().join("arch/arm64/kvm")).unwrap();
        fs::write(dir.path().join("Kbuild"), "").unwrap();
        assert_eq!(version_of(dir.path()), "7.3".parse().ok());
    }
}
