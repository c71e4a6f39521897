// SPDX-License-Identifier: GPL-2.0

//! The tools that build a kernel. They are chosen once and written down, because a kernel that
//! another tool builds is another kernel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::apt::{self, Apt};
use super::llvm::{self, Llvm};
use super::packages::{Minimum, Packages};
use super::rust::{self, Rustc};
use crate::base::disk::write_whole;
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;

const HEAD: &str = "# The tools that build kernels. Without this file, they are chosen anew.\n\n";

/// By tool: what it says of itself.
type Versions = BTreeMap<String, String>;

/// The tools, as Kbuild wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    pub bindgen: PathBuf,
    /// The source of Rust's standard library.
    pub rust_lib_src: PathBuf,
    pub llvm: Llvm,
    versions: Versions,
    /// The oldest versions that did when they were chosen.
    minimum: Minimum,
}

impl Toolchain {
    /// Chooses the tools, and installs what is missing of them together with these packages.
    pub fn choose(
        project: &Project,
        packages: &Packages,
        apt: Option<&Apt>,
        mut missing: Vec<String>,
    ) -> Result<Self> {
        let minimum = &packages.minimum;
        let rustc = Rustc::find(minimum.rustc)?;
        let llvm = llvm::choose(rustc.llvm, minimum.llvm, apt)?;
        missing.extend(llvm.missing());
        missing.extend(rustc.missing_source(apt));
        let pinned = &packages.pinned.bindgen;
        let built = rust::built(project, "bindgen", pinned);
        let bindgen = rust::find_bindgen(minimum.bindgen).or(built.exists().then_some(built));
        if bindgen.is_none() {
            missing.extend(rust::bindgen_package(apt, minimum.bindgen));
        }
        apt::install(apt, &missing)?;

        let rust_lib_src = rustc.source(project, packages)?;
        let bindgen = match bindgen.or_else(|| rust::find_bindgen(minimum.bindgen)) {
            Some(bindgen) => bindgen,
            None => rust::build(project, "bindgen", "bindgen-cli", pinned)?,
        };
        Ok(Self {
            versions: versions(llvm, &bindgen)?,
            bindgen,
            rust_lib_src,
            llvm,
            minimum: minimum.clone(),
        })
    }

    /// The tools that were chosen, if each is still what it was.
    pub fn chosen(file: &Path, minimum: &Minimum) -> Option<Self> {
        let tools: Self = toml::from_str(&fs::read_to_string(file).ok()?).ok()?;
        let now = versions(tools.llvm, &tools.bindgen).unwrap_or_default();
        let changes = changes(&tools.versions, &now);
        for change in &changes {
            say(format!("choosing the tools anew: {change}"));
        }
        let same = changes.is_empty() && tools.minimum == *minimum && tools.rust_lib_src.exists();
        same.then_some(tools)
    }

    /// Writes down that they are chosen.
    pub fn keep(&self, file: &Path) -> Result<()> {
        write_whole(file, format!("{HEAD}{}", toml::to_string(self)?).as_bytes())
    }

    /// A text that differs where what they build can differ.
    pub fn fingerprint(&self) -> String {
        let versions = self.versions.iter();
        let versions: String = versions
            .map(|(tool, is)| format!("{tool}: {is}\n"))
            .collect();
        format!("{versions}rust-src: {}\n", self.rust_lib_src.display())
    }
}

fn versions(llvm: Llvm, bindgen: &Path) -> Result<Versions> {
    let tools = [
        ("rustc", "rustc".to_owned()),
        ("clang", llvm.program("clang")),
        ("ld.lld", llvm.program("ld.lld")),
        ("bindgen", bindgen.to_string_lossy().into_owned()),
    ];
    let ask = |(tool, program): (&str, String)| {
        let said = output(&command(&program, ["--version"]))?;
        let line = said.lines().next().unwrap_or_default();
        Ok((tool.to_owned(), line.to_owned()))
    };
    tools.into_iter().map(ask).collect()
}

/// Which of the tools are not what they were.
fn changes(before: &Versions, now: &Versions) -> Vec<String> {
    let change = |(tool, was): (&String, &String)| match now.get(tool) {
        Some(is) if is == was => None,
        Some(is) => Some(format!("{tool} was `{was}`, and is `{is}`")),
        None => Some(format!("{tool} was `{was}`, and cannot be run")),
    };
    before.iter().filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSTC: &str = "rustc";

    fn tools(rustc: &str) -> Toolchain {
        let llvm: Llvm = toml::from_str("major = 19\nsuffixed = true").unwrap();
        Toolchain {
            bindgen: "/bindgen".into(),
            rust_lib_src: "/".into(),
            llvm,
            versions: BTreeMap::from([(RUSTC.to_owned(), rustc.to_owned())]),
            minimum: minimum("1.85.0"),
        }
    }

    fn minimum(rustc: &str) -> Minimum {
        toml::from_str(&format!("rustc = '{rustc}'\nllvm = 17\nbindgen = '0.71.1'")).unwrap()
    }

    #[test]
    fn a_choice_is_read_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tools.toml");
        tools("rustc 1.95.0").keep(&file).unwrap();
        let read: Toolchain = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(read, tools("rustc 1.95.0"));
        // Its programs are not on this machine.
        assert_eq!(Toolchain::chosen(&file, &minimum("1.85.0")), None);
    }

    #[test]
    fn another_version_is_another_tool() {
        let (old, new) = (tools("rustc 1.95.0"), tools("rustc 1.96.0"));
        assert_ne!(old.fingerprint(), new.fingerprint());
        assert!(changes(&old.versions, &old.versions).is_empty());
        assert_eq!(
            changes(&old.versions, &new.versions),
            ["rustc was `rustc 1.95.0`, and is `rustc 1.96.0`"]
        );
        assert_eq!(
            changes(&old.versions, &BTreeMap::new()),
            ["rustc was `rustc 1.95.0`, and cannot be run"]
        );
    }
}
