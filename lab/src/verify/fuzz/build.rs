// SPDX-License-Identifier: GPL-2.0

//! Builds the programs of `lab/fuzz`.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;

/// What libFuzzer needs of the code that it runs: a counter for each edge, where the edges are, and
/// what is compared with what.
///
/// These are options of LLVM's, which a stable rustc passes on. `cargo fuzz` would say the same as
/// `-Zsanitizer`, which needs a nightly one; what only that gives is ASan, which has little to find
/// in code without allocations.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    // The symbols of the counters' section are private to a unit.
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// The fuzzer.
pub fn fuzzer(project: &Project) -> Result<PathBuf> {
    let options = ["--features=libfuzzer", "--bin=fw-regs-fuzz"];
    program(project, "fw-regs-fuzz", &options, &COVERAGE)
}

/// What runs inputs without libFuzzer, built with these options of rustc's.
pub fn replay(project: &Project, rustc: &[&str]) -> Result<PathBuf> {
    program(project, "replay", &["--bin=replay"], rustc)
}

fn program(project: &Project, name: &str, cargo: &[&str], rustc: &[&str]) -> Result<PathBuf> {
    let step = Step::spinner(format!("building {name}"));
    // Cargo builds everything again when options change.
    let kind = rustc.first().map_or("plain", |_| name);
    let target_dir = project.out("cargo/fuzz").join(kind);
    // With a target told, build scripts and macros are built without the options.
    let host = host()?;
    let mut args = vec![
        "build".into(),
        "--locked".into(),
        "--profile=fuzz".into(),
        "--package=fw-regs-fuzz".into(),
        format!("--target={host}").into(),
        "--manifest-path".into(),
        project.root().join("lab/Cargo.toml").into_os_string(),
        "--target-dir".into(),
        target_dir.clone().into_os_string(),
    ];
    args.extend(cargo.iter().map(Into::into));
    let cargo = command("cargo", args).env("CARGO_ENCODED_RUSTFLAGS", rustc.join("\x1f"));
    let log = project.log(&format!("fuzz-{name}"));
    logged(&format!("building {name}"), &cargo, &log, |line| {
        step.message(format!("{name}: {}", line.trim()));
    })?;
    Ok(target_dir.join(host).join("fuzz").join(name))
}

/// The triple of this machine.
fn host() -> Result<String> {
    let verbose = output(&command("rustc", ["-vV"]))?;
    let host = verbose.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say its host")?.to_owned())
}
