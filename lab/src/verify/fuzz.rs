// SPDX-License-Identifier: GPL-2.0

//! `lab fuzz`: the component in this process, beside a model of the laws, with inputs from libFuzzer
//! (`lab/fuzz`).

mod corpus;

use std::path::PathBuf;

use anyhow::{ensure, Result};
use clap::Args;
use fs_err as fs;

use crate::base::disk::Lock;
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::get::{self, Purpose};

/// In bytes: as many as the longest trial takes, more or less.
const LONGEST: u32 = 256;

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

#[derive(Args)]
pub struct Fuzz {
    /// How long to fuzz
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Keep what was found: write the smallest set of inputs that reaches all of it to
    /// lab/fuzz/corpus.txt
    #[arg(long)]
    keep: bool,
    /// Do not fuzz; run one input again, such as out/fuzz/failed
    #[arg(long, value_name = "FILE", conflicts_with = "keep")]
    input: Option<PathBuf>,
}

/// Returns `false` if the laws were broken, which has been told then.
pub fn run(project: &Project, fuzz: &Fuzz) -> Result<bool> {
    get::ensure(project, &[Purpose::Fuzz])?;
    let home = project.out("fuzz");
    let _lock = Lock::take(&home, "fuzzer")?;
    let fuzzer = build(project)?.to_string_lossy().into_owned();
    let seeds = corpus::unpack(project)?;
    let found = home.join("found");
    fs::create_dir_all(&found)?;

    let crash = home.join("failed");
    let command = match &fuzz.input {
        Some(input) => {
            ensure!(input.is_file(), "{} is no file", input.display());
            command(&fuzzer, [input])
        }
        None => {
            if crash.exists() {
                fs::remove_file(&crash)?;
            }
            let args = [
                found.clone().into_os_string(),
                seeds.clone().into(),
                format!("-max_total_time={}", fuzz.seconds).into(),
                format!("-max_len={LONGEST}").into(),
                format!("-exact_artifact_path={}", crash.display()).into(),
            ];
            command(&fuzzer, args)
        }
    };
    let step = Step::spinner("fuzzing");
    let log = project.log("fuzz");
    let mut pulse = String::new();
    let result = logged("the fuzzer", &command, &log, |line| {
        if line.starts_with('#') {
            pulse = line.replace('\t', " ");
            step.message(&*pulse);
        }
    });
    drop(step);

    if let Err(error) = result {
        let log = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        let Some(failure) = failure(&log) else {
            return Err(error);
        };
        println!("{failure}");
        if fuzz.input.is_none() {
            println!("\n{pulse}");
            say(format!("the input is {}", crash.display()));
            say("to run it again: make fuzz INPUT=out/fuzz/failed");
        }
        return Ok(false);
    }
    match &fuzz.input {
        Some(input) => println!("{}: the laws were kept", input.display()),
        None => println!("{pulse}"),
    }
    if fuzz.keep {
        corpus::keep(project, &fuzzer, &seeds, &found)?;
    }
    Ok(true)
}

fn build(project: &Project) -> Result<PathBuf> {
    let step = Step::spinner("building the fuzzer");
    // With a target told, build scripts and macros are built without the options.
    let host = output(&command("rustc", ["--print", "host-tuple"]))?;
    let host = host.trim();
    let manifest = project.root().join("lab/Cargo.toml");
    let target_dir = project.out("cargo/fuzz");
    let args = [
        "build",
        "--locked",
        "--profile=fuzz",
        "--package=fw-regs-fuzz",
        "--features=libfuzzer",
        "--target",
        host,
        "--manifest-path",
        &manifest.to_string_lossy(),
        "--target-dir",
        &target_dir.to_string_lossy(),
    ];
    let cargo = command("cargo", args).env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"));
    let log = project.log("fuzz-build");
    logged("building the fuzzer", &cargo, &log, |line| {
        step.message(line.trim());
    })?;
    Ok(target_dir.join(host).join("fuzz/fw-regs-fuzz"))
}

/// What the fuzzer prints of a law that was broken, before libFuzzer's own lines.
fn failure(log: &str) -> Option<&str> {
    let start = log.find("The component does not do")?;
    log[start..].split("\n==").next().map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_what_the_fuzzer_says_of_it() {
        let told = "The component does not do what the laws say:\n   1. run";
        let log = format!("#12 NEW cov: 1\n{told}\n==12== ERROR: libFuzzer: deadly signal\n");
        assert_eq!(failure(&log), Some(told));
        assert_eq!(failure("==12== ERROR: libFuzzer: timeout\n"), None);
    }
}
