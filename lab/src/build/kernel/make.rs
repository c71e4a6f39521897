// SPDX-License-Identifier: GPL-2.0

//! Kbuild: how it is called, and what it prints.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::Result;
use duct::Expression;

use crate::base::process::command;
use crate::base::project::Project;
use crate::build::tree::overlay;
use crate::get::Toolchain;

/// Variables that Kbuild would take from an environment that is not about this build: that of the
/// `make` that runs this tool, and that of a person who builds other kernels.
const FOREIGN: [&str; 12] = [
    "MAKEFLAGS",
    "MFLAGS",
    "MAKELEVEL",
    "MAKEOVERRIDES",
    "O",
    "ARCH",
    "CROSS_COMPILE",
    "KBUILD_OUTPUT",
    "KCFLAGS",
    "KRUSTFLAGS",
    "KCONFIG_CONFIG",
    "LOCALVERSION",
];

/// A tree, where it is built, and with what.
pub struct Kbuild {
    tree: PathBuf,
    pub build_dir: PathBuf,
    settings: Vec<OsString>,
    lib_dir: Option<PathBuf>,
}

impl Kbuild {
    pub fn new(tree: &Path, build_dir: &Path, tools: &Toolchain) -> Self {
        let setting = |name: &str, value: &Path| {
            let mut setting = OsString::from(name);
            setting.push(value);
            setting
        };
        let jobs = available_parallelism().map_or(1, usize::from);
        let mut settings = vec![
            format!("-j{jobs}").into(),
            "--no-print-directory".into(),
            "ARCH=arm64".into(),
            format!("LLVM={}", tools.llvm.kbuild()).into(),
            setting("BINDGEN=", &tools.bindgen),
            setting("RUST_LIB_SRC=", &tools.rust_lib_src),
            setting("O=", build_dir),
            // The same input gives the same Image, whoever builds it and when.
            "LOCALVERSION=".into(),
        ];
        let reproducible = [
            "KBUILD_BUILD_USER=lab",
            "KBUILD_BUILD_HOST=lab",
            "KBUILD_BUILD_VERSION=1",
            "KBUILD_BUILD_TIMESTAMP=1970-01-01",
        ];
        settings.extend(reproducible.map(OsString::from));
        Self {
            tree: tree.to_path_buf(),
            build_dir: build_dir.to_path_buf(),
            settings,
            lib_dir: tools.llvm.lib_dir(),
        }
    }

    /// A `make` with these arguments in the tree's top directory.
    pub fn make(&self, args: &[&str]) -> Expression {
        let args = args.iter().map(OsString::from);
        let make = command("make", self.settings.iter().cloned().chain(args)).dir(&self.tree);
        let make = match &self.lib_dir {
            Some(dir) => make.env("LIBCLANG_PATH", dir),
            None => make,
        };
        without_foreign(make)
    }
}

/// Keeps what other builds have set away from a `make`.
pub fn without_foreign(make: Expression) -> Expression {
    FOREIGN
        .iter()
        .fold(make, |make, name| make.env_remove(name))
}

/// Whether a line of output announces a step, such as `  CC      init/main.o`.
pub fn is_step(line: &str) -> bool {
    let Some((kind, _)) = line
        .strip_prefix("  ")
        .and_then(|rest| rest.split_once(' '))
    else {
        return false;
    };
    !kind.is_empty()
        && kind
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// Looks for warnings in files of ours.
pub struct Warnings {
    tree: PathBuf,
    /// Where in the tree the compiler runs.
    below: &'static str,
    ours: BTreeSet<String>,
    /// The warning that rustc is in the middle of printing.
    rust: Option<String>,
    found: Vec<(String, String)>,
}

impl Warnings {
    pub fn new(project: &Project) -> Result<Self> {
        Ok(Self {
            tree: project.tree(),
            below: "",
            ours: overlay::files(project)?.into_keys().collect(),
            rust: None,
            found: Vec::new(),
        })
    }

    /// The same for a compiler that runs in this directory of the tree.
    pub fn below(self, below: &'static str) -> Self {
        Self { below, ..self }
    }

    /// Reads one line of a compiler's output.
    pub fn read(&mut self, line: &str) {
        if line.starts_with("warning: ") || line.starts_with("warning[") {
            self.rust = Some(line.to_string());
        } else if let Some(place) = line.trim_start().strip_prefix("--> ") {
            if let Some(warning) = self.rust.take() {
                self.note(place, &format!("{place}: {warning}"));
            }
        } else if line.contains(": warning: ") {
            self.note(line, line);
        }
    }

    /// Keeps a warning whose place (`path:line:column`) is in a file of ours.
    fn note(&mut self, place: &str, text: &str) {
        let path = place.split(':').next().unwrap_or_default();
        let path = path.strip_prefix("./").unwrap_or(path);
        let path = self.tree.join(self.below).join(path);
        let path = path.strip_prefix(&self.tree).unwrap_or(&path);
        let path = path.to_string_lossy();
        if self.ours.contains(path.as_ref()) {
            self.found.push((path.into_owned(), text.to_string()));
        }
    }

    /// The files with warnings, and the warnings.
    pub fn into_found(self) -> Vec<(String, String)> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_from_other_lines() {
        assert!(is_step("  CC      init/main.o"));
        assert!(is_step("  RUSTC L rust/core.o"));
        assert!(is_step("  KSYMS   .tmp_vmlinux0.kallsyms.S"));
        assert!(!is_step("warning: unused"));
        assert!(!is_step("  --> a.rs:1:2"));
        assert!(!is_step("make[1]: *** [x] Error 1"));
    }

    #[test]
    fn warnings_in_our_files_are_found() {
        let mut warnings = Warnings {
            tree: "/k".into(),
            below: "",
            ours: ["a.c", "b.rs"].map(String::from).into(),
            rust: None,
            found: Vec::new(),
        };
        let lines = [
            "/k/a.c:1:2: warning: unused variable",
            "mm/slub.c:1:2: warning: unused variable",
            "warning: unused import",
            "  --> /k/b.rs:3:4",
            "   |",
            "error: no",
            "  --> b.rs:5:6",
        ];
        lines.iter().for_each(|line| warnings.read(line));
        let found = warnings.into_found();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, "a.c");
        assert_eq!(
            found[1],
            ("b.rs".into(), "/k/b.rs:3:4: warning: unused import".into())
        );
    }
}
