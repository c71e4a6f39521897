// SPDX-License-Identifier: GPL-2.0

//! Kbuild: how it is called, and what it prints.

use std::collections::BTreeSet;
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

/// The same input gives the same Image, whoever builds it and when.
const REPRODUCIBLE: [&str; 5] = [
    "LOCALVERSION=",
    "KBUILD_BUILD_USER=lab",
    "KBUILD_BUILD_HOST=lab",
    "KBUILD_BUILD_VERSION=1",
    "KBUILD_BUILD_TIMESTAMP=1970-01-01",
];

/// Where KCSAN looks, if it is configured: at KVM, without its code for EL2. Elsewhere in Linux there
/// are races that are known. What locks and the scheduler order it has to know.
const KCSAN: [&str; 2] = [
    "KCSAN_SANITIZE=$(if $(filter-out arch/arm64/kvm/hyp%,\
     $(filter arch/arm64/kvm% virt/kvm% rust%,$(obj))),y,n)",
    "KCSAN_INSTRUMENT_BARRIERS=$(if $(filter kernel/locking% kernel/sched%,$(obj)),y,n)",
];

/// A tree, where it is built, and with what.
pub struct Kbuild {
    tree: PathBuf,
    pub build_dir: PathBuf,
    tools: Toolchain,
    /// Settings in the place of those that follow from the tools.
    others: Vec<String>,
}

impl Kbuild {
    pub fn new(tree: &Path, build_dir: &Path, tools: &Toolchain) -> Self {
        Self {
            tree: tree.to_path_buf(),
            build_dir: build_dir.to_path_buf(),
            tools: tools.clone(),
            others: Vec::new(),
        }
    }

    /// The same with other settings, such as `LLVM=-19`.
    pub fn with(&self, others: &[String]) -> Self {
        Self {
            tree: self.tree.clone(),
            build_dir: self.build_dir.clone(),
            tools: self.tools.clone(),
            others: others.to_vec(),
        }
    }

    /// A `make` with these arguments in the tree's top directory.
    pub fn make(&self, args: &[&str]) -> Expression {
        let llvm = self.tools.llvm;
        let settings = [
            format!("LLVM={}", llvm.kbuild()),
            format!("BINDGEN={}", self.tools.bindgen.display()),
            format!("RUST_LIB_SRC={}", self.tools.rust_lib_src.display()),
            format!("O={}", self.build_dir.display()),
        ];
        // What comes later has precedence.
        let settings = [&settings[..], &self.others].concat();
        let make = make(
            &self.tree,
            &settings,
            &[&REPRODUCIBLE[..], &KCSAN, args].concat(),
        );
        // Where bindgen finds the libclang of the same version, in Debian's layout.
        let libclang = PathBuf::from(format!("/usr/lib/llvm-{}/lib", llvm.major));
        match libclang.exists() {
            true => make.env("LIBCLANG_PATH", libclang),
            false => make,
        }
    }
}

/// A `make` for arm64 in this directory, with one job for each CPU.
pub fn make(dir: &Path, settings: &[String], args: &[&str]) -> Expression {
    let jobs = format!("-j{}", available_parallelism().map_or(1, usize::from));
    let always = [&*jobs, "--no-print-directory", "ARCH=arm64"].into_iter();
    let settings = settings.iter().map(String::as_str);
    let args = always.chain(settings).chain(args.iter().copied());
    without_foreign(command("make", args).dir(dir))
}

/// Keeps what other builds have set away from a `make`.
pub fn without_foreign(make: Expression) -> Expression {
    FOREIGN
        .iter()
        .fold(make, |make, name| make.env_remove(name))
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
        if let Some(path) = self.ours.get(&*path.to_string_lossy()) {
            self.found.push((path.clone(), text.to_owned()));
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
