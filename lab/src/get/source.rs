// SPDX-License-Identifier: GPL-2.0

//! Debian's kernel source, as the package `linux-source-X.Y` holds it.

use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::ensure_space;
use crate::base::error::Help;
use crate::base::process::{command, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::debian::{self, Found};
use crate::get::packages::{Kernels, Packages};

/// What the package takes on the disk, in GB.
const SPACE: u64 = 1;

/// Puts a supported kernel source into the directory `into`, and returns what it is.
pub fn fetch(project: &Project, into: &Path) -> Result<String> {
    let packages = Packages::load(project)?;
    let found = debian::all(project, &packages, &["linux-source-".to_owned()])?;
    let kernels = project.series().map_or(packages.kernels, |series| Kernels {
        oldest: series,
        newest: series,
    });
    let chosen = choose(&found, kernels)
        .with_context(|| {
            let suites = packages.suites.join(", ");
            format!("the mirror has no linux-source package of {kernels} in {suites}")
        })
        .help("pass a kernel tree of your own: KDIR=path")?;
    let name = format!("{} {}", chosen.package, chosen.version);
    say(format!("taking {name} from Debian"));

    ensure_space(&project.out("cache"), SPACE, "the download")?;
    // It stays until its source is unpacked, so that it is downloaded once.
    let package = chosen.download()?;
    let _step = Step::spinner(format!("unpacking {name}"));
    unpack(&package, &chosen.package, into).context("cannot unpack the kernel source")?;
    fs::remove_file(package)?;
    Ok(name)
}

/// Unpacks the archive that the package holds.
fn unpack(package: &Path, name: &str, into: &Path) -> Result<()> {
    let files = command("dpkg-deb", ["--fsys-tarfile".as_ref(), package.as_os_str()]);
    let archive = format!("./usr/src/{name}.tar.xz");
    let archive = files.pipe(command("tar", ["-xO", &archive]));
    let args = ["-xJ", "--strip-components=1", "-C"].map(AsRef::as_ref);
    let source = command("tar", args.into_iter().chain([into.as_os_str()]));
    output(&archive.pipe(source.env("XZ_DEFAULTS", "-T0"))).map(drop)
}

/// The newest package of the newest series that is wanted.
fn choose(found: &[Found], wanted: Kernels) -> Option<&Found> {
    let rank = |found: &Found| {
        let series: Version = found.package.strip_prefix("linux-source-")?.parse().ok()?;
        let version = Version::find(&found.version);
        wanted.have(series).then_some((series, version))
    };
    let ranked = found.iter().filter_map(|found| Some((rank(found)?, found)));
    let newest = ranked.max_by_key(|(rank, _)| *rank);
    newest.map(|(_, found)| found)
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
        Found {
            package: package.to_owned(),
            version: version.to_owned(),
            ..Found::default()
        }
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
    fn the_source_is_unpacked_from_its_package() {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("into");
        fs::create_dir(&into).unwrap();
        let script = "mkdir -p linux-source-7.3/arch p/usr/src p/DEBIAN; \
             echo 'VERSION = 7' >linux-source-7.3/Makefile; \
             tar -cJf p/usr/src/linux-source-7.3.tar.xz linux-source-7.3; \
             printf 'Package: x\\nVersion: 1\\nArchitecture: all\\nMaintainer: x\\nDescription: x\\n' \
                 >p/DEBIAN/control; \
             dpkg-deb --build p x.deb";
        output(&command("sh", ["-euc", script]).dir(dir.path())).unwrap();
        let package = dir.path().join("x.deb");
        unpack(&package, "linux-source-7.3", &into).unwrap();
        assert!(into.join("Makefile").exists() && into.join("arch").is_dir());
        assert!(unpack(&package, "linux-source-7.4", &into).is_err());
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
