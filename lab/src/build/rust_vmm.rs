// SPDX-License-Identifier: GPL-2.0

//! The tests of the crate `kvm-ioctls`, and ours that move VMs through it (`lab/rust-vmm`), as
//! static programs for arm64.
//!
//! Few toolchains have Rust's standard library for arm64, so it is built, too: from the source of
//! it that kernels are built with. Cargo has no stable option for that yet.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::base::disk::Lock;
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get::Toolchain;

const CRATE: &str = "kvm-ioctls";

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// Hosts have neither a C library nor use for what a debugger wants to know.
const OPTIONS: [&str; 6] = [
    "-Zbuild-std",
    "--target",
    TARGET,
    "--config=profile.dev.debug=false",
    "--config=profile.dev.strip=true",
    "--message-format=json-render-diagnostics",
];

pub struct RustVmm {
    /// The crate's own tests. They take a word as a filter of names.
    pub own: PathBuf,
    /// Ours, which do so, too.
    pub moves: PathBuf,
    /// Prints the registers of a fresh VM.
    pub registers: PathBuf,
}

/// Makes sure that all are built; Cargo sees what is old.
pub fn ensure(project: &Project, tools: &Toolchain) -> Result<RustVmm> {
    let _lock = Lock::take(&project.out(""), "rust-vmm")?;
    let ours = project.root().join("lab/rust-vmm/Cargo.toml");
    let theirs = manifest_of_crate(&ours)?;
    let step = Step::spinner("building the tests of rust-vmm");
    let build = |manifest: &Path, name: &str, which: &[&str]| {
        let (manifest, target_dir) = (manifest.to_string_lossy(), project.out("cargo/rust-vmm"));
        let target_dir = target_dir.to_string_lossy();
        let place = ["--manifest-path", &manifest, "--target-dir", &target_dir];
        let what = ["test", "--no-run", "--locked"];
        let cargo = command("cargo", [&what[..], &place, which, &OPTIONS].concat())
            // Options of nightly, with whatever there is.
            .env("RUSTC_BOOTSTRAP", "1")
            .env("__CARGO_TESTS_ONLY_SRC_ROOT", &tools.rust_lib_src)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_ENCODED_RUSTFLAGS", "-Ctarget-feature=+crt-static")
            .env(
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER",
                "aarch64-linux-gnu-gcc",
            );
        let mut program = None;
        let log = project.log(name);
        logged(
            "building the tests of rust-vmm",
            &cargo,
            &log,
            |line| match serde_json::from_str(line) {
                Ok(message) => program = executable(&message).or(program.take()),
                Err(_) => step.message(line.trim()),
            },
        )?;
        program.with_context(|| format!("cargo built no test: see {}", log.display()))
    };
    Ok(RustVmm {
        // The crate comes with a lock file of its own.
        own: build(&theirs, "rust-vmm-own", &["--lib"])?,
        moves: build(&ours, "rust-vmm-moves", &["--test=moves"])?,
        registers: build(&ours, "rust-vmm-registers", &["--test=registers"])?,
    })
}

/// Where Cargo has the crate, of the version in the lock file of our package.
fn manifest_of_crate(ours: &Path) -> Result<PathBuf> {
    let manifest = ours.to_string_lossy();
    let args = "metadata --locked --format-version=1 --manifest-path";
    let args = args.split(' ').chain([&*manifest]);
    let metadata: Value = serde_json::from_str(&output(&command("cargo", args))?)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut found = packages.filter(|package| package["name"] == CRATE);
    let manifest = found.next().and_then(|it| it["manifest_path"].as_str());
    let manifest = manifest.with_context(|| format!("{} has no {CRATE}", ours.display()))?;
    Ok(manifest.into())
}

/// The program that a message of Cargo's is about.
fn executable(message: &Value) -> Option<PathBuf> {
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_among_messages() {
        let message = |text| executable(&serde_json::from_str(text).unwrap());
        let library = r#"{"reason":"compiler-artifact","executable":null}"#;
        let test = r#"{"reason":"compiler-artifact","executable":"/a/moves-1"}"#;
        assert_eq!(message(library), None);
        assert_eq!(message(test), Some("/a/moves-1".into()));
        assert_eq!(message(r#"{"reason":"build-finished"}"#), None);
    }
}
