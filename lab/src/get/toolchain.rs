// SPDX-License-Identifier: GPL-2.0

//! The tools that build a kernel. They are chosen once and written down, because a kernel that
//! another tool builds is another kernel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::llvm::Llvm;
use super::packages::Minimum;
use crate::base::disk::write_whole;
use crate::base::process::{command, output};
use crate::base::progress::say;

const HEAD: &str = "# The tools that build kernels. Without this file, they are chosen anew.\n\n";

/// The tools, as Kbuild wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    pub bindgen: PathBuf,
    /// The source of Rust's standard library.
    pub rust_lib_src: PathBuf,
    pub llvm: Llvm,
    /// What each tool says of itself.
    versions: BTreeMap<String, String>,
    /// The oldest versions that did when they were chosen.
    minimum: Minimum,
}

impl Toolchain {
    pub fn new(
        llvm: Llvm,
        bindgen: PathBuf,
        rust_lib_src: PathBuf,
        minimum: Minimum,
    ) -> Result<Self> {
        let versions = versions(llvm, &bindgen)?;
        Ok(Self {
            bindgen,
            rust_lib_src,
            llvm,
            versions,
            minimum,
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
        let versions = versions.map(|(tool, version)| format!("{tool}: {version}\n"));
        let source = format!("rust-src: {}\n", self.rust_lib_src.display());
        versions.chain([source]).collect()
    }
}

/// What each tool says of itself.
fn versions(llvm: Llvm, bindgen: &Path) -> Result<BTreeMap<String, String>> {
    let bindgen = bindgen.to_string_lossy();
    let tools = [
        ("rustc", "rustc".to_owned()),
        ("clang", llvm.program("clang")),
        ("ld.lld", llvm.program("ld.lld")),
        ("bindgen", bindgen.into_owned()),
    ];
    let ask = |(tool, program): (&str, String)| {
        let said = output(&command(&program, ["--version"]))?;
        Ok((
            tool.to_owned(),
            said.lines().next().unwrap_or_default().to_owned(),
        ))
    };
    tools.into_iter().map(ask).collect()
}

/// Which of the tools are not what they were.
fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let changed = before
        .iter()
        .filter(|(tool, was)| now.get(*tool) != Some(*was));
    changed
        .map(|(tool, was)| match now.get(tool) {
            Some(is) => format!("{tool} was `{was}`, and is `{is}`"),
            None => format!("{tool} was `{was}`, and cannot be run"),
        })
        .collect()
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
