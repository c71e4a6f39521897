// SPDX-License-Identifier: GPL-2.0

//! `lab mutants`: changes the component's source in small ways, one at a time, and wants its tests to
//! notice each. What no test can notice is listed in `lab/data/mutants.toml`, each with the reason.

mod outcomes;

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use crate::base::disk::{whole_dir, Lock};
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get;
use crate::model::results::{Case, Report};
use outcomes::Survivors;

/// What is changed, and which tests have to notice it.
struct Target {
    name: &'static str,
    /// cargo-mutants' options that choose the files.
    files: &'static [&'static str],
    /// The package that has the tests.
    tests: &'static str,
}

const TARGETS: [Target; 2] = [
    // By its own tests alone: the tables that are also KUnit's, and the properties.
    Target {
        name: "policy",
        files: &["--package=fw-regs-policy", "--exclude=**/cases.rs"],
        tests: "fw-regs-policy",
    },
    // By the fuzzer's corpus and random sequences.
    Target {
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

/// The workspace that is changed: its own, because the component is outside of the lab's. The tests
/// take longer than their build, which what does not change has no part in.
const MANIFEST: &str = r#"[workspace]
resolver = "3"
members = ["lab/fuzz", "lab/fuzz/component", "lab/fuzz/kernel", "lab/macros", "lab/policy"]

[profile.dev]
debug = false
opt-level = 1

[profile.dev.package."*"]
opt-level = 3
"#;

/// Returns whether every mutant was caught or is listed.
pub fn run(project: &Project) -> Result<bool> {
    let tool = get::ensure_cargo_mutants(project)?;
    let home = project.out("mutants");
    let _lock = Lock::take(&home, "mutants")?;
    let mut survivors = Survivors::load(project)?;

    let mut report = Report::new(anstream::stdout());
    for target in &TARGETS {
        let tree = tree(project, &home)?;
        let cases = mutate(project, &tool, &tree, target, &mut survivors)?;
        report.suite("mutants", vec![(target.name.to_owned(), cases)])?;
    }
    let stale = survivors.stale();
    if !stale.is_empty() {
        report.suite("mutants", vec![("list".to_owned(), stale)])?;
    }
    Ok(report.finish()?.good())
}

/// A copy of what the tests are made of, to be changed.
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
            output(&command("cp", [Path::new("-RP"), &from, &into]))?;
        }
        let lock = project.root().join("lab/Cargo.lock");
        fs::copy(lock, part.join("Cargo.lock"))?;
        Ok(fs::write(part.join("Cargo.toml"), MANIFEST)?)
    })?;
    Ok(tree)
}

/// Tries all mutants of a target. Returns a result for each.
fn mutate(
    project: &Project,
    tool: &Path,
    tree: &Path,
    target: &Target,
    survivors: &mut Survivors,
) -> Result<Vec<Case>> {
    let Target { name, files, tests } = target;
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
    // What an earlier run found is none of this one's.
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    fs::create_dir_all(&out)?;
    let mut args = vec![
        "mutants".into(),
        "--in-place".into(),
        "--baseline=skip".into(),
        // In seconds: the tests take two.
        "--timeout=60".into(),
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
    let log = project.log(&format!("mutants-{name}"));
    let result = logged(name, &command, &log, |line| {
        step.message(format!("{name}: {line}"));
    });
    drop(step);
    // That some were missed is an error for cargo-mutants. Where it did not try all, its error tells
    // more of what went wrong.
    let outcomes = outcomes::read(&out.join("mutants.out"), tree);
    let outcomes = outcomes.map_err(|error| result.err().unwrap_or(error))?;
    Ok(survivors.judge(outcomes))
}
