// SPDX-License-Identifier: GPL-2.0

//! `lab fuzz`: the component in this process, beside a model of the laws, with inputs from libFuzzer
//! (`lab/fuzz`).

mod build;
mod corpus;
mod coverage;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Instant;

use anyhow::{ensure, Result};
use clap::Args;
use fs_err as fs;
use regex::Regex;

use crate::base::disk::Lock;
use crate::base::process::{command, logged};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::get::{self, Purpose};

/// In bytes: as many as the longest trial takes, more or less.
const LONGEST: u32 = 256;

/// How libFuzzer tells how far it is.
static PULSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^#(\d+)\s.* cov: (\d+) ft: (\d+) corp: (\d+)/").expect("a valid pattern")
});

#[derive(Args)]
pub struct Fuzz {
    /// How long to fuzz
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Where chance begins, to try the same inputs again; 0: anywhere
    #[arg(long, default_value_t = 0)]
    seed: u32,
    /// Keep what was found: write the smallest set of inputs that reaches all of it to
    /// lab/fuzz/corpus.txt
    #[arg(long)]
    keep: bool,
    /// Do not fuzz; run one input again, such as out/fuzz/failed
    #[arg(long, value_name = "FILE", conflicts_with = "keep")]
    input: Option<PathBuf>,
}

/// How far libFuzzer got.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Pulse {
    executions: u64,
    edges: u64,
    features: u64,
    corpus: u64,
}

/// `false` if the laws were broken, which has been told then.
pub fn run(project: &Project, fuzz: &Fuzz) -> Result<bool> {
    if let Some(input) = &fuzz.input {
        return again(project, input);
    }
    let toolchain = get::ensure(project, &[Purpose::Fuzz])?;
    let home = project.out("fuzz");
    let _lock = Lock::take(&home, "fuzzer")?;
    let fuzzer = build::fuzzer(project)?;
    let seeds = corpus::unpack(project)?;
    let found = home.join("found");
    fs::create_dir_all(&found)?;

    let step = Step::spinner("fuzzing");
    let crash = home.join("failed");
    if crash.exists() {
        fs::remove_file(&crash)?;
    }
    let command = command(
        &fuzzer.to_string_lossy(),
        [
            found.clone().into_os_string(),
            seeds.clone().into(),
            format!("-max_total_time={}", fuzz.seconds).into(),
            format!("-max_len={LONGEST}").into(),
            format!("-seed={}", fuzz.seed).into(),
            format!("-exact_artifact_path={}", crash.display()).into(),
            // Also where it fails.
            "-print_final_stats=1".into(),
        ],
    );
    let started = Instant::now();
    let mut pulse = Pulse::default();
    let mut words = Words::default();
    let result = logged("the fuzzer", &command, &project.log("fuzz"), |line| {
        if let Some(now) = Pulse::parse(line) {
            pulse = now;
            step.message(format!("fuzzing: {} executions", pulse.executions));
        }
        if let Some(all) = line.strip_prefix("stat::number_of_executed_units: ") {
            pulse.executions = all.trim().parse().unwrap_or(pulse.executions);
        }
        words.line(line);
    });
    let seconds = started.elapsed().as_secs_f64();
    drop(step);

    if let Err(error) = result {
        let Some(words) = words.done() else {
            return Err(error);
        };
        println!("{words}\n");
        println!(
            "found after {} executions, {seconds:.0} s",
            pulse.executions
        );
        return tell(&crash);
    }
    println!("{}", pulse.text(seconds));
    if fuzz.keep {
        corpus::keep(project, &fuzzer, &seeds, &found)?;
    }
    let inputs = if fuzz.keep {
        corpus::unpack(project)?
    } else {
        seeds
    };
    print!("{}", coverage::text(project, toolchain.llvm, &inputs)?);
    Ok(true)
}

/// Says where the input is that has broken a law.
fn tell(crash: &Path) -> Result<bool> {
    // libFuzzer writes it when it is told that the process aborts.
    ensure!(crash.exists(), "the fuzzer has kept no input");
    say(format!("the input is {}", crash.display()));
    say("to run it again: make fuzz INPUT=out/fuzz/failed");
    Ok(false)
}

/// Runs one input with the component as it is now. Returns whether the laws were kept.
fn again(project: &Project, input: &Path) -> Result<bool> {
    let replay = build::replay(project, &[])?;
    let ran = command(&replay.to_string_lossy(), [input])
        .unchecked()
        .run()?;
    if ran.status.success() {
        println!("{}: the laws were kept", input.display());
    }
    Ok(ran.status.success())
}

impl Pulse {
    fn parse(line: &str) -> Option<Self> {
        let found = PULSE.captures(line)?;
        let number = |group: usize| found[group].parse().ok();
        Some(Self {
            executions: number(1)?,
            edges: number(2)?,
            features: number(3)?,
            corpus: number(4)?,
        })
    }

    fn text(self, seconds: f64) -> String {
        format!(
            "{} executions in {seconds:.0} s, {:.0} a second; reached {} edges, {} features; \
             {} inputs that differ in that",
            self.executions,
            self.executions as f64 / seconds,
            self.edges,
            self.features,
            self.corpus,
        )
    }
}

/// What the fuzzer prints of a failure, from its first line to libFuzzer's own.
#[derive(Default)]
struct Words {
    lines: Vec<String>,
    ended: bool,
}

impl Words {
    fn line(&mut self, line: &str) {
        let begins = line.starts_with("The component does not do");
        self.ended |= !self.lines.is_empty() && line.starts_with("==");
        if (begins || !self.lines.is_empty()) && !self.ended {
            self.lines.push(line.to_owned());
        }
    }

    fn done(self) -> Option<String> {
        (!self.lines.is_empty()).then(|| self.lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fuzzers_pulse_is_read() {
        let line = "#1048576\tpulse  cov: 1402 ft: 7361 corp: 998/92Kb lim: 512 exec/s: 9362";
        let pulse = Pulse {
            executions: 1_048_576,
            edges: 1402,
            features: 7361,
            corpus: 998,
        };
        assert_eq!(Pulse::parse(line), Some(pulse));
        assert_eq!(Pulse::parse("INFO: seed corpus: files: 3"), None);
    }

    #[test]
    fn a_failure_is_what_the_fuzzer_says_of_it() {
        let mut words = Words::default();
        for line in [
            "#12 NEW cov: 1",
            "The component does not do what the laws say:",
            "   1. run",
            "==12== ERROR: libFuzzer: deadly signal",
            "    #0 0x55d0 in abort",
        ] {
            words.line(line);
        }
        let expected = "The component does not do what the laws say:\n   1. run";
        assert_eq!(words.done().as_deref(), Some(expected));
        assert_eq!(Words::default().done(), None);
    }
}
