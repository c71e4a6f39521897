// SPDX-License-Identifier: GPL-2.0

//! How Debian configures its own arm64 kernel, as the package `linux-config-X.Y` tells.

use anyhow::{Context, Result};

use crate::base::error::Help;
use crate::base::process::{command, output};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::debian;
use crate::get::packages::Packages;

/// The one for all machines, with pages of 4 KiB.
const FILE: &str = "./usr/src/linux-config-*/config.arm64_none_arm64.xz";

/// The configuration of the kernel of a series.
pub fn of(project: &Project, series: Version) -> Result<String> {
    let packages = Packages::load(project)?;
    let package = format!("linux-config-{series}");
    let found = debian::all(project, &packages, std::slice::from_ref(&package))?;
    let same = found.iter().filter(|found| found.package == package);
    let newest = same.max_by_key(|found| Version::find(&found.version));
    let newest = newest.with_context(|| format!("the mirror has no {package} for arm64"))?;
    let file = newest.download()?;
    let files = command("dpkg-deb", ["--fsys-tarfile".as_ref(), file.as_os_str()]);
    let config = files.pipe(command("tar", ["-xO", "--wildcards", FILE]));
    output(&config.pipe(command("xz", ["-dc"])))
        .with_context(|| format!("{package} has no {FILE}"))
        .help("look into the package, and adapt lab/src/get/kernel_config.rs")
}
