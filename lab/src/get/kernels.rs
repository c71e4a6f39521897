// SPDX-License-Identifier: GPL-2.0

//! Debian's own kernels, which hosts of the fleet boot beside ours.
//!
//! Of a package, the kernel alone is kept. It is Debian's newest of its series when it is first
//! needed.

use std::collections::BTreeSet;

use anyhow::{ensure, Result};
use regex::Regex;

use crate::base::disk::{write_whole, Lock};
use crate::base::error::Help;
use crate::base::kernel::Kernel;
use crate::base::process::command;
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::debian::{self, Found};
use crate::get::packages::Packages;
use crate::model::hosts::Host;

/// Where an arm64 kernel image says what it is, and how; see the kernel's
/// Documentation/arch/arm64/booting.rst.
const MAGIC: (usize, &[u8]) = (56, b"ARMd");

/// Gets those of Debian's kernels that the hosts boot and that are not there yet. One that the mirror
/// does not have is told.
pub fn ensure<'a>(project: &Project, hosts: impl IntoIterator<Item = &'a Host>) -> Result<()> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    let missing = hosts.into_iter().filter_map(|host| match host.kernel {
        Kernel::Debian(series) if !project.image(host.kernel).exists() => Some(series),
        _ => None,
    });
    let missing = BTreeSet::from_iter(missing);
    if missing.is_empty() {
        return Ok(());
    }
    let packages = Packages::load(project)?;
    let prefixes = missing.iter().flat_map(|series| {
        ["linux-image", "linux-binary"].map(|package| format!("{package}-{series}."))
    });
    let found = debian::all(project, &packages, &Vec::from_iter(prefixes))?;
    for series in missing {
        let Some(chosen) = choose(&found, series) else {
            let suites = packages.suites.join(", ");
            say(format!(
                "the mirror has no kernel {series} for arm64 in {suites}: hosts with it are left out"
            ));
            continue;
        };
        let image = image(chosen)?;
        write_whole(&project.image(Kernel::Debian(series)), &image)?;
        say(format!(
            "took {} {} from Debian",
            chosen.package, chosen.version
        ));
    }
    Ok(())
}

/// The newest package that has a kernel of the series.
fn choose(found: &[Found], series: Version) -> Option<&Found> {
    // Neither other flavours, such as `rt` and `16k`, nor those that are not signed. From 7.2 on
    // the kernel is in `linux-binary`, and `linux-image` has nothing that boots.
    let plain = Regex::new(r"^linux-(binary|image)-[0-9.]+(-[0-9]+|\+[a-z0-9.]+)-arm64$");
    let plain = plain.expect("a valid pattern");
    let found = found.iter().filter(|found| plain.is_match(&found.package));
    let ranked = found.filter_map(|found| {
        let version = Version::find(&found.version)?;
        let is_binary = found.package.starts_with("linux-binary-");
        (version.series() == series).then_some(((version, is_binary), found))
    });
    let newest = ranked.max_by_key(|(rank, _)| *rank);
    newest.map(|(_, found)| found)
}

/// The kernel in a package.
fn image(found: &Found) -> Result<Vec<u8>> {
    let package = found.download()?;
    let _step = Step::spinner(format!("unpacking {}", found.package));
    let files = command("dpkg-deb", ["--fsys-tarfile".as_ref(), package.as_os_str()]);
    let names = ["./boot/vmlinuz-*", "./usr/lib/modules/*/vmlinuz"];
    let tar = ["-xO", "--wildcards", names[0], names[1]];
    // One of the names is not there, which tar takes for an error.
    let tar = command("tar", tar).unchecked().stderr_null();
    let image = files.pipe(tar).stdout_capture().run();
    let image = image
        .help("remove it from out/cache, and try again")?
        .stdout;
    let (at, magic) = MAGIC;
    ensure!(
        image.get(at..at + magic.len()) == Some(magic),
        "{} has no kernel that QEMU boots",
        found.package
    );
    fs_err::remove_file(package)?;
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_of_the_series_is_taken() {
        let found = |(package, version): (&str, &str)| Found {
            package: package.to_owned(),
            version: version.to_owned(),
            ..Found::default()
        };
        let found = [
            ("linux-image-6.1.0-47-arm64", "6.1.170-3"),
            ("linux-image-6.1.0-50-arm64", "6.1.176-1"),
            ("linux-image-6.1.0-51-arm64-unsigned", "6.1.177-1"),
            ("linux-image-6.1.0-51-rt-arm64", "6.1.177-1"),
            ("linux-image-6.1.0-51-cloud-arm64", "6.1.177-1"),
            ("linux-image-6.12.9+deb13-arm64", "6.12.9-1"),
            ("linux-image-6.12.117+deb13-arm64", "6.12.117-1"),
            ("linux-image-6.12.90+deb12.1-arm64", "6.12.90-2~bpo12+1"),
            ("linux-image-6.12.118+deb13-arm64-16k", "6.12.118-1"),
            ("linux-binary-7.3.4+deb13-arm64", "7.3.4-1~bpo13+1"),
            ("linux-image-7.3.4+deb13-arm64", "7.3.4-1~bpo13+1"),
        ]
        .map(found);
        let chosen = |series: &str| {
            let chosen = choose(&found, series.parse().unwrap());
            chosen.map(|found| &*found.package)
        };
        assert_eq!(chosen("6.1"), Some("linux-image-6.1.0-50-arm64"));
        assert_eq!(chosen("6.12"), Some("linux-image-6.12.117+deb13-arm64"));
        assert_eq!(chosen("7.3"), Some("linux-binary-7.3.4+deb13-arm64"));
        assert_eq!(chosen("6.16"), None);
    }
}
