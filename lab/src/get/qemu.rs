// SPDX-License-Identifier: GPL-2.0

//! QEMU as Debian has it: for arm64, the VMM that runs in the hosts; for this machine, what runs
//! hosts that its own QEMU is too old for. Of its package and all that that depends on only the
//! program is kept, and the libraries that it is linked with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use glob::{glob, Pattern};
use object::elf::{FileHeader64, DT_NEEDED};
use object::read::elf::{Dyn, FileHeader};
use object::Endianness;

use super::debian::{self, ARM64};
use super::packages::Packages;
use crate::base::disk::{whole_dir, Lock};
use crate::base::error::fault;
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::base::version::Version;

const PACKAGE: &str = "qemu-system-arm";
const PROGRAM: &str = "qemu-system-aarch64";

/// The file that tells the version, as Debian has it.
const VERSION: &str = "version";

/// One that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Qemu {
    /// As in `11.1.3`.
    pub version: String,
    pub program: PathBuf,
    pub libraries: Vec<PathBuf>,
}

/// Makes sure of QEMU for arm64, of that major version.
pub fn ensure(project: &Project, major: &str) -> Result<Qemu> {
    ensure_for(project, major, ARM64)
}

/// QEMU on this machine: a command line that starts it, without its options. It is the machine's own
/// or, if that is older than this, one that is not installed.
pub fn emulator(project: &Project, major: &str) -> Result<Vec<PathBuf>> {
    let own = output(&command(PROGRAM, ["--version"]))?;
    let own = Version::find(&own).context("QEMU does not tell its version")?;
    if Version::find(major).is_some_and(|wanted| own >= wanted) {
        return Ok(vec![PROGRAM.into()]);
    }
    let arch = output(&command("dpkg", ["--print-architecture"]))?;
    let qemu = ensure_for(project, major, arch.trim())?;
    let loader = qemu.libraries.iter().find(|library| {
        let name = library.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with("ld-linux")
    });
    let loader = loader.context("QEMU's package needs no ld-linux")?;
    let dir = qemu.program.parent().unwrap_or(Path::new(""));
    Ok(vec![
        loader.clone(),
        "--library-path".into(),
        dir.into(),
        qemu.program,
    ])
}

fn ensure_for(project: &Project, major: &str, arch: &str) -> Result<Qemu> {
    let packages = Packages::load(project)?;
    let Some(suites) = packages.qemu.get(major) else {
        let known: Vec<&str> = packages.qemu.keys().map(String::as_str).collect();
        return Err(fault(
            format!("lab/data/debian.toml has no QEMU {major}"),
            format!(
                "it has {}; add a line there for another one",
                known.join(" and ")
            ),
        ));
    };
    let name = format!("qemu-{arch}-{major}");
    let dir = project.out("cache").join(&name);
    let _lock = Lock::take(&project.out("cache"), &name)?;
    if !dir.exists() {
        whole_dir(&dir, |dir| {
            let unpacked = tempfile::tempdir_in(dir)?;
            let root = unpacked.path();
            let version = debian::unpack_whole(project, &packages, suites, arch, PACKAGE, root)?;
            ensure!(
                upstream(&version).split('.').next() == Some(major),
                "{} has QEMU {version} now, not {major}: see lab/data/debian.toml",
                suites.last().map_or("", String::as_str)
            );
            keep(root, &version, dir)
        })?;
        say(format!(
            "took QEMU {} ({arch}) from Debian",
            open(&dir)?.version
        ));
    }
    open(&dir)
}

/// Copies what is kept of what was unpacked.
fn keep(root: &Path, version: &str, into: &Path) -> Result<()> {
    let program = root.join("usr/bin").join(PROGRAM);
    for (name, file) in with_libraries(PROGRAM, &program, root)? {
        fs::copy(file, into.join(name))?;
    }
    Ok(fs::write(into.join(VERSION), version)?)
}

/// What is in a directory that was filled.
fn open(dir: &Path) -> Result<Qemu> {
    let version = fs::read_to_string(dir.join(VERSION))?;
    let mut libraries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.to_string_lossy().contains(".so") {
            libraries.push(path);
        }
    }
    libraries.sort();
    Ok(Qemu {
        version: upstream(&version).to_owned(),
        program: dir.join(PROGRAM),
        libraries,
    })
}

/// The version without what Debian adds, as in `1:11.1.3+ds-1~bpo13+1`.
fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['+', '-', '~']).next().unwrap_or(version)
}

/// A program and, by name, all libraries below `root` that it and they need.
fn with_libraries(name: &str, program: &Path, root: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut found = BTreeMap::new();
    let mut wanted = vec![(name.to_owned(), program.to_owned())];
    while let Some((name, file)) = wanted.pop() {
        for library in needed(&file).with_context(|| file.display().to_string())? {
            let place = library_in(root, &library)?;
            wanted.push((library, place));
        }
        found.insert(name, file);
        wanted.retain(|(name, _)| !found.contains_key(name));
    }
    Ok(found)
}

fn library_in(root: &Path, library: &str) -> Result<PathBuf> {
    let root = Pattern::escape(&root.to_string_lossy());
    for place in ["usr/lib/*-linux-gnu", "lib/*-linux-gnu", "usr/lib*", "lib*"] {
        let mut found = glob(&format!("{root}/{place}/{}", Pattern::escape(library)))?;
        if let Some(found) = found.next() {
            return Ok(found?);
        }
    }
    anyhow::bail!("no package has the library {library}")
}

/// The libraries that a program or library names.
fn needed(file: &Path) -> Result<Vec<String>> {
    let data = &*fs::read(file)?;
    let header = FileHeader64::<Endianness>::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let Some((entries, strings)) = sections.dynamic(endian, data)? else {
        return Ok(Vec::new());
    };
    let strings = sections.strings(endian, data, strings)?;
    let needed = entries
        .iter()
        .filter(|entry| entry.tag32(endian) == Some(DT_NEEDED));
    let names = needed.map(|entry| Ok(String::from_utf8(entry.string(endian, strings)?.to_vec())?));
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_qemu() {
        assert_eq!(upstream("1:11.1.3+ds-1~bpo13+1"), "11.1.3");
        assert_eq!(upstream("10.0.2"), "10.0.2");
    }

    #[test]
    fn libraries_of_libraries_are_found_and_a_missing_one_is_told() {
        let own = std::env::current_exe().unwrap();
        let names = needed(&own).unwrap();
        assert!(
            names.iter().any(|name| name.starts_with("libc.so")),
            "{names:?}"
        );

        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("usr/lib");
        fs::create_dir_all(&dir).unwrap();
        for name in &names {
            fs::copy(&own, dir.join(name)).unwrap();
        }
        let found = with_libraries("own", &own, root.path()).unwrap();
        assert_eq!(found.len(), 1 + names.len());

        fs::remove_file(dir.join(&names[0])).unwrap();
        let error = with_libraries("own", &own, root.path())
            .unwrap_err()
            .to_string();
        assert_eq!(error, format!("no package has the library {}", names[0]));
    }
}
