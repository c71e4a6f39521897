// SPDX-License-Identifier: GPL-2.0

//! `lab mutants`: changes the component's source in small ways, one at a time, and wants its tests to
//! notice each. What no test can notice is listed in `lab/data/mutants.toml`, each with the reason.

mod outcomes;
mod survivors;

use std::path::{Path, PathBuf};

use anyhow::{bail, Result};
use clap::{Args, ValueEnum};
use fs_err as fs;

use crate::base::disk::{whole_dir, write_whole, Lock};
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get;
use crate::model::results::Report;
use outcomes::Mutant;
use survivors::Survivors;

#[derive(Args)]
pub struct Mutants {
    /// Change only this
    #[arg(long, value_enum)]
    only: Option<What>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    Policy,
    Component,
}

/// What is changed, and which tests have to notice it.
struct Target {
    what: What,
    name: &'static str,
    /// cargo-mutants' options that choose the files.
    files: &'static [&'static str],
    /// The package that has the tests.
    tests: &'static str,
}

const TARGETS: [Target; 2] = [
    // By its own tests alone: the tables that are also KUnit's, and the properties.
    Target {
        what: What::Policy,
        name: "policy",
        files: &["--package=fw-regs-policy", "--exclude=**/cases.rs"],
        tests: "fw-regs-policy",
    },
    // By the fuzzer's corpus and random sequences.
    Target {
        what: What::Component,
        name: "component",
        files: &[
            "--package=fw-regs",
            "--package=kernel",
            "--file=lab/fuzz/component/src/*.rs",
            "--file=lab/fuzz/kernel/src/kvm.rs",
            "--file=lab/fuzz/kernel/src/kvm/*.rs",
            // KUnit's, and the policy's root.
            "--exclude=lab/fuzz/component/src/{tests,policy}.rs",
        ],
        tests: "fw-regs-fuzz",
    },
];

/// In seconds: the tests take two.
const TIMEOUT: u32 = 60;

/// The members of the workspace that is changed.
const MEMBERS: [&str; 5] = [
    "lab/fuzz",
    "lab/fuzz/component",
    "lab/fuzz/kernel",
    "lab/macros",
    "lab/policy",
];

/// The tests take longer than their build, which what does not change has no part in.
const PROFILE: &str = "
[profile.dev]
debug = false
opt-level = 1

[profile.dev.package.\"*\"]
opt-level = 3
";

/// Returns whether every mutant was caught or is listed.
pub fn run(project: &Project, mutants: &Mutants) -> Result<bool> {
    let tool = get::ensure_cargo_mutants(project)?;
    let home = project.out("mutants");
    let _lock = Lock::take(&home, "mutants")?;
    let mut survivors = Survivors::load(project)?;

    let mut report = Report::new(anstream::stdout());
    let mut sums = Vec::new();
    let chosen = |target: &&Target| mutants.only.is_none_or(|only| only == target.what);
    for target in TARGETS.iter().filter(chosen) {
        let tree = tree(project, &home)?;
        let mutants = mutate(project, &tool, &tree, target)?;
        report.suite(
            "mutants",
            vec![(target.name.to_owned(), survivors.judge(&mutants))],
        )?;
        sums.push(format!("{}: {}", target.name, outcomes::sum(&mutants)));
    }
    let stale = survivors.stale();
    // Those of what was not changed are not seen.
    if mutants.only.is_none() && !stale.is_empty() {
        report.suite("mutants", vec![("list".to_owned(), stale)])?;
    }
    let totals = report.finish()?;
    for sum in sums {
        println!("{sum}");
    }
    Ok(totals.good())
}

/// A copy of what the tests are made of, to be changed. It is a workspace of its own, because the
/// component is outside of the lab's.
fn tree(project: &Project, home: &Path) -> Result<PathBuf> {
    let tree = home.join("tree");
    whole_dir(&tree, |part| {
        fs::create_dir(part.join("lab"))?;
        for (directory, into) in [
            ("rust", ""),
            ("lab/macros", "lab"),
            ("lab/policy", "lab"),
            ("lab/fuzz", "lab"),
        ] {
            let (from, into) = (project.root().join(directory), part.join(into));
            // Links stay links, and times do not: Cargo sees that all is new.
            let args = ["-RP".as_ref(), from.as_os_str(), into.as_os_str()];
            output(&command("cp", args))?;
        }
        fs::copy(
            project.root().join("lab/Cargo.lock"),
            part.join("Cargo.lock"),
        )?;
        let members = MEMBERS.map(|member| format!("\"{member}\"")).join(", ");
        let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n{PROFILE}");
        write_whole(&part.join("Cargo.toml"), manifest.as_bytes())
    })?;
    Ok(tree)
}

fn mutate(project: &Project, tool: &Path, tree: &Path, target: &Target) -> Result<Vec<Mutant>> {
    let Target {
        name, files, tests, ..
    } = target;
    let built = project.out("cargo/mutants");
    let step = Step::spinner(format!("{name}: the tests as they are"));
    // cargo-mutants would run only the tests of the packages that it changes. Not `--locked`: Cargo
    // takes what only the lab needs out of the lock file.
    let test = command("cargo", ["test", "--package", tests])
        .dir(tree)
        .env("CARGO_TARGET_DIR", &built);
    let log = project.log(&format!("mutants-{name}-unchanged"));
    logged("the test of the unchanged source", &test, &log, |_| ())?;

    let out = project.out(format!("mutants/{name}"));
    fs::create_dir_all(&out)?;
    let mut args = vec![
        "mutants".into(),
        "--in-place".into(),
        "--baseline=skip".into(),
        format!("--timeout={TIMEOUT}").into(),
        format!("--test-package={tests}").into(),
        "--no-shuffle".into(),
        // Each mutant is told, not only those that are missed.
        "--caught".into(),
        "--unviable".into(),
        "--colors=never".into(),
        "--no-config".into(),
        "--output".into(),
        out.clone().into_os_string(),
        "--dir".into(),
        tree.as_os_str().to_owned(),
    ];
    args.extend(files.iter().map(Into::into));
    let command = command(&tool.to_string_lossy(), args).env("CARGO_TARGET_DIR", &built);
    let mut done = 0;
    let mut all = 0;
    let result = logged(
        name,
        &command,
        &project.log(&format!("mutants-{name}")),
        |line| {
            if let Some(found) = outcomes::found(line) {
                all = found;
            }
            if outcomes::is_told(line) {
                done += 1;
                step.message(format!("{name}: {done} of {all} mutants"));
            }
        },
    );
    drop(step);
    match outcomes::load(&out.join("mutants.out"), tree) {
        // That some were missed is an error for cargo-mutants.
        Ok(mutants) if !mutants.is_empty() => Ok(mutants),
        // Which tells more of what went wrong.
        outcomes => result
            .and(outcomes)
            .and_then(|_| bail!("{name}: no mutants")),
    }
}
