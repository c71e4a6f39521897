// SPDX-License-Identifier: GPL-2.0

//! The Rust toolchain that builds the kernel: the rustc that is there, the standard library's
//! source of exactly that version, and bindgen.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use super::apt::{self, Apt};
use super::debian::Debian;
use super::packages::Packages;
use crate::base::error::fault;
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;

#[derive(Debug)]
pub struct Rustc {
    /// As printed: `1.95.0`, or `1.97.0-nightly`.
    pub release: String,
    pub llvm: u32,
    sysroot: PathBuf,
}

impl Rustc {
    pub fn find(packages: &Packages) -> Result<Self> {
        let verbose = output(&command("rustc", ["-vV"])).context("no usable rustc")?;
        let sysroot = output(&command("rustc", ["--print", "sysroot"]))?;
        let (release, llvm) =
            parse_verbose(&verbose).with_context(|| format!("cannot understand: {verbose}"))?;
        let minimum = packages.minimum.rustc;
        if Version::find(&release) < Some(minimum) {
            return Err(fault(
                format!("rustc {release} is too old for this kernel"),
                format!("put rustc {minimum} or newer on PATH"),
            ));
        }
        Ok(Self {
            release,
            llvm,
            sysroot: sysroot.trim().into(),
        })
    }

    /// Whether it is the distribution's, so that its other parts come from apt as well.
    fn is_from_apt(&self) -> bool {
        self.sysroot == Path::new("/usr") && apt::is_there()
    }

    /// Where the standard library's source is, if it is that of this rustc.
    fn own_source(&self) -> Option<PathBuf> {
        let library = self.sysroot.join("lib/rustlib/src/rust/library");
        let real = library.canonicalize().ok()?;
        // Debian's is a link to a directory that tells its version; it can lag behind rustc.
        let directory = real.parent()?.file_name()?.to_str()?;
        match directory.strip_prefix("rustc-") {
            Some(version) if version != self.release => None,
            _ => Some(library),
        }
    }

    fn unpacked_source(&self, project: &Project) -> PathBuf {
        project.out(format!("cache/rust-src-{}", self.release))
    }

    fn library_in(&self, unpacked: &Path) -> PathBuf {
        unpacked.join(format!("usr/src/rustc-{}/library", self.release))
    }

    /// The package that brings the source, if apt is where it should come from.
    pub fn missing_source(&self) -> Option<String> {
        let missing = self.is_from_apt() && self.own_source().is_none();
        missing.then(|| "rust-src".to_string())
    }

    /// The standard library's source; from Debian where the toolchain came without.
    pub fn source(&self, project: &Project, debian: &mut Debian) -> Result<PathBuf> {
        if let Some(library) = self.own_source() {
            return Ok(library);
        }
        let unpacked = self.unpacked_source(project);
        let library = self.library_in(&unpacked);
        if library.exists() {
            return Ok(library);
        }
        let wanted = |version: &str| version.split(['+', '-']).next() == Some(&self.release);
        let Some(found) = debian.first("rust-src", wanted)? else {
            return Err(fault(
                format!(
                    "rustc {} has no standard library source, and Debian ({}) has none of that \
                     version",
                    self.release,
                    debian.suite_names()
                ),
                "run `rustup component add rust-src`, or use a rustc whose rust-src Debian has",
            ));
        };
        debian.unpack(&found, &unpacked)?;
        say(format!("took rust-src {} from Debian", found.version));
        if !library.exists() {
            anyhow::bail!(
                "{} {} holds no {}",
                found.package,
                found.version,
                library.display()
            );
        }
        Ok(library)
    }
}

/// A bindgen that is new enough: on PATH, or built earlier.
pub fn find_bindgen(project: &Project, packages: &Packages) -> Option<PathBuf> {
    let found = find_program("bindgen")
        .into_iter()
        .chain([built_bindgen(project, packages)]);
    found.into_iter().find(|program| {
        let version = output(&command(&program.to_string_lossy(), ["--version"]));
        version.is_ok_and(|text| Version::find(&text) >= Some(packages.minimum.bindgen))
    })
}

/// The package that brings a bindgen that is new enough, if apt has it.
pub fn bindgen_package(apt: Option<&Apt>, packages: &Packages) -> Option<String> {
    let version = Version::find(&apt?.candidate("bindgen")?)?;
    (version >= packages.minimum.bindgen).then(|| "bindgen".to_string())
}

/// Builds bindgen.
pub fn build_bindgen(project: &Project, packages: &Packages) -> Result<PathBuf> {
    let version = &packages.pinned.bindgen;
    let root = root_of(project, "bindgen", version);
    build(project, "bindgen", "bindgen-cli", version, &root)?;
    Ok(built_bindgen(project, packages))
}

fn built_bindgen(project: &Project, packages: &Packages) -> PathBuf {
    root_of(project, "bindgen", &packages.pinned.bindgen).join("bin/bindgen")
}

/// Where a program is that is built from its crate.
fn root_of(project: &Project, name: &str, version: &str) -> PathBuf {
    project.out(format!("cache/{name}-{version}"))
}

/// The pinned cargo-mutants, which is built if it was not yet.
pub fn cargo_mutants(project: &Project, packages: &Packages) -> Result<PathBuf> {
    let version = &packages.pinned.cargo_mutants;
    let root = root_of(project, "cargo-mutants", version);
    let program = root.join("bin/cargo-mutants");
    if !program.exists() {
        build(project, "cargo-mutants", "cargo-mutants", version, &root)?;
    }
    Ok(program)
}

/// Builds a program from its crate, into `root`.
fn build(project: &Project, name: &str, krate: &str, version: &str, root: &Path) -> Result<()> {
    fs::create_dir_all(root)?;
    let step = Step::spinner(format!("building {name} {version}"));
    let target = project.out("cargo").join(name);
    let args = [
        "install",
        "--locked",
        "--force",
        "--version",
        version,
        krate,
    ];
    let cargo = command("cargo", args)
        .env("CARGO_INSTALL_ROOT", root)
        .env("CARGO_TARGET_DIR", &target);
    let what = format!("building {name}");
    logged(&what, &cargo, &project.log(name), |line| {
        step.message(format!("{name} {version}: {}", line.trim()));
    })?;
    fs::remove_dir_all(target)?;
    step.done(format!("built {name} {version}"));
    Ok(())
}

/// The release and the LLVM major version in what `rustc -vV` prints.
fn parse_verbose(text: &str) -> Option<(String, u32)> {
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name));
    let release = field("release: ")?.to_string();
    let llvm = field("LLVM version: ")?.split('.').next()?.parse().ok()?;
    Some((release, llvm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_and_llvm_are_read() {
        let text = "rustc 1.95.0 (59807616e 2026-04-14)\nbinary: rustc\nhost: x\n\
                    release: 1.95.0\nLLVM version: 22.1.2\n";
        assert_eq!(parse_verbose(text), Some(("1.95.0".into(), 22)));
        assert_eq!(parse_verbose("rustc 1.95.0"), None);
    }
}
