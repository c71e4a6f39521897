// SPDX-License-Identifier: GPL-2.0

//! The Rust toolchain that builds the kernel: the rustc that is there, the standard library's
//! source of exactly that version, and bindgen.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use fs_err as fs;

use super::apt::Apt;
use super::debian;
use super::packages::Packages;
use crate::base::disk::whole_dir;
use crate::base::error::{fault, Help};
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;

/// What is built where neither PATH nor apt has one that is new enough.
pub const BINDGEN: &str = "0.73.2";

/// The newest for rustc 1.85.
pub const CARGO_MUTANTS: &str = "26.0.0";

pub struct Rustc {
    /// As printed: `1.95.0`, or `1.97.0-nightly`.
    release: String,
    pub llvm: u32,
    sysroot: PathBuf,
}

impl Rustc {
    pub fn find(minimum: Version) -> Result<Self> {
        let verbose = output(&command("rustc", ["-vV"])).context("no usable rustc")?;
        let sysroot = output(&command("rustc", ["--print", "sysroot"]))?;
        let (release, llvm) =
            parse_verbose(&verbose).with_context(|| format!("cannot understand: {verbose}"))?;
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

    /// The package that brings the source: a rustc from apt has its other parts from there, too.
    pub fn missing_source(&self, apt: &Apt) -> Option<String> {
        let is_from_apt = self.sysroot == Path::new("/usr") && apt.is_there;
        (is_from_apt && self.own_source().is_none()).then(|| "rust-src".to_owned())
    }

    /// The standard library's source; from Debian where the toolchain came without.
    pub fn source(&self, project: &Project, packages: &Packages) -> Result<PathBuf> {
        if let Some(library) = self.own_source() {
            return Ok(library);
        }
        let release = &self.release;
        let unpacked = project.out(format!("cache/rust-src-{release}"));
        let library = format!("usr/src/rustc-{release}/library");
        if !unpacked.join(&library).exists() {
            let wanted = |version: &str| version.split(['+', '-']).next() == Some(release);
            let found = debian::first(project, packages, "rust-src", wanted)
                .with_context(|| format!("rustc {release} has no standard library source"))
                .help("run `rustup component add rust-src`, or use a rustc that Debian has")?;
            whole_dir(&unpacked, |dir| {
                found.unpack(dir)?;
                let is_there = dir.join(&library).exists();
                ensure!(is_there, "rust-src {} holds no {library}", found.version);
                Ok(())
            })?;
            say(format!("took rust-src {} from Debian", found.version));
        }
        Ok(unpacked.join(library))
    }
}

/// A bindgen on PATH that is new enough.
pub fn find_bindgen(minimum: Version) -> Option<PathBuf> {
    let version = output(&command("bindgen", ["--version"])).ok()?;
    let is_new = Version::find(&version) >= Some(minimum);
    is_new.then(|| find_program("bindgen")).flatten()
}

/// Where a program is that is built from its crate.
pub fn built(project: &Project, name: &str, version: &str) -> PathBuf {
    project.out(format!("cache/{name}-{version}/bin/{name}"))
}

/// Builds a program from its crate, unless it was built already.
pub fn build(project: &Project, name: &str, krate: &str, version: &str) -> Result<PathBuf> {
    let program = built(project, name, version);
    if program.exists() {
        return Ok(program);
    }
    let what = format!("building {name} {version}");
    let step = Step::spinner(&*what);
    let root = project.out(format!("cache/{name}-{version}"));
    let target = project.out("cargo").join(name);
    let args = format!("install --locked --force --version {version} {krate}");
    let cargo = command("cargo", args.split(' '))
        .env("CARGO_INSTALL_ROOT", root)
        .env("CARGO_TARGET_DIR", &target);
    logged(&what, &cargo, &project.log(name), |line| {
        step.message(format!("{name} {version}: {}", line.trim()));
    })?;
    fs::remove_dir_all(target)?;
    step.done(format!("built {name} {version}"));
    Ok(program)
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
