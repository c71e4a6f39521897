// SPDX-License-Identifier: GPL-2.0

//! The tools that build a kernel. They are chosen once and written down, because a kernel that
//! another tool builds is another kernel.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use serde::{Deserialize, Serialize};

use super::apt::Apt;
use super::llvm::{self, Llvm};
use super::packages::{Minimum, Packages};
use super::rust::{self, Rustc};
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::base::version::Version;

/// The tools, as Kbuild wants to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    pub bindgen: PathBuf,
    /// The source of Rust's standard library.
    pub rust_lib_src: PathBuf,
    pub llvm: Llvm,
    /// By tool: what it says of itself.
    versions: BTreeMap<String, String>,
    /// The oldest versions that did when they were chosen.
    minimum: Minimum,
}

impl Toolchain {
    /// Chooses the tools, and installs what is missing of them together with these packages.
    pub fn choose(
        project: &Project,
        packages: &Packages,
        apt: &Apt,
        mut missing: Vec<String>,
    ) -> Result<Self> {
        let minimum = &packages.minimum;
        let rustc = Rustc::find(minimum.rustc)?;
        let llvm = llvm::choose(rustc.llvm, minimum.llvm, apt)?;
        if !llvm.is_here() {
            missing.extend(llvm::packages(llvm.major));
        }
        missing.extend(rustc.missing_source(apt));
        let find_bindgen = || rust::find_bindgen(minimum.bindgen);
        let built = rust::built(project, "bindgen", rust::BINDGEN);
        let bindgen = find_bindgen().or(built.exists().then_some(built));
        if bindgen.is_none() {
            let in_apt = apt.candidate("bindgen");
            let is_new = |version: &String| Version::find(version) >= Some(minimum.bindgen);
            missing.extend(in_apt.filter(is_new).map(|_| "bindgen".to_owned()));
        }
        apt.install(&missing)?;

        let rust_lib_src = rustc.source(project, packages)?;
        let bindgen = match bindgen.or_else(find_bindgen) {
            Some(bindgen) => bindgen,
            None => rust::build(project, "bindgen", "bindgen-cli", rust::BINDGEN)?,
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
        for (tool, was) in &tools.versions {
            if now.get(tool) != Some(was) {
                say(format!(
                    "choosing the tools anew: {tool} is not `{was}` any more"
                ));
            }
        }
        let is_same = now == tools.versions && tools.minimum == *minimum;
        (is_same && tools.rust_lib_src.exists()).then_some(tools)
    }

    /// A text that differs where what they build can differ.
    pub fn fingerprint(&self) -> String {
        format!("{self:?}")
    }
}

fn versions(llvm: Llvm, bindgen: &Path) -> Result<BTreeMap<String, String>> {
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
        fs::write(&file, toml::to_string(&tools("rustc 1.95.0")).unwrap()).unwrap();
        let read: Toolchain = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(read, tools("rustc 1.95.0"));
        // Its programs are not on this machine.
        assert_eq!(Toolchain::chosen(&file, &minimum("1.85.0")), None);
    }

    #[test]
    fn another_version_is_another_tool() {
        let (old, new) = (tools("rustc 1.95.0"), tools("rustc 1.96.0"));
        assert_ne!(old.fingerprint(), new.fingerprint());
    }
}
