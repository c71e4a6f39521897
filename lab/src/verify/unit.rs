// SPDX-License-Identifier: GPL-2.0

//! The tests that Cargo runs on this machine: the policy's and the lab's own.

use std::path::PathBuf;
use std::sync::LazyLock;

use anyhow::{ensure, Context, Result};
use regex::Regex;

use crate::base::process::command;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::get;
use crate::model::results::Case;
use crate::model::results::Groups;

static PROGRAM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^ +Running .*\(.*?/?([^/]+)-[0-9a-f]{16}\)$|^ +Doc-tests (\S+)$")
        .expect("a valid pattern")
});
static TEST: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test (.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.*))?$")
        .expect("a valid pattern")
});
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^test result: \S+ (\d+) passed; (\d+) failed; (\d+) ignored;")
        .expect("a valid pattern")
});

pub fn run(project: &Project) -> Result<Groups> {
    let _step = Step::spinner("cargo test");
    get::want(project, "g++")?;
    let manifest = project.root().join("lab/Cargo.toml");
    let target = target_dir()?;
    let args = [
        "test",
        "--locked",
        "--workspace",
        "--no-fail-fast",
        "--color=never",
        "--manifest-path",
        &manifest.to_string_lossy(),
        "--target-dir",
        &target.to_string_lossy(),
    ];
    let output = command("cargo", args)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .context("cargo")?;
    let mut groups = groups(
        &String::from_utf8_lossy(&output.stdout),
        output.status.success(),
    );
    groups.push(crate::verify::prove::tests(project));
    Ok(groups)
}

/// Where this program was built: nothing that it needs is built a second time.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let directory = program.ancestors().nth(2);
    Ok(directory.context("the program is in no directory")?.into())
}

/// Each test of each program, by what Cargo printed.
fn groups(output: &str, success: bool) -> Groups {
    let mut groups = Groups::new();
    for line in output.lines() {
        if let Some(found) = PROGRAM.captures(line) {
            let name = found
                .get(1)
                .or(found.get(2))
                .map_or("", |name| name.as_str());
            groups.push((name.to_owned(), Vec::new()));
        } else if let (Some(found), Some((_, cases))) = (TEST.captures(line), groups.last_mut()) {
            cases.push(match &found[2] {
                "ok" => Case::pass(&found[1]),
                "ignored" => {
                    let reason = found.get(3).map_or("ignored", |reason| reason.as_str());
                    Case::skip(&found[1], reason)
                }
                _ => Case::fail(&found[1], panic_message(output, &found[1])),
            });
        }
    }
    // Some programs, and most doc-tests, have nothing to run.
    groups.retain(|(_, cases)| !cases.is_empty());

    if let Err(error) = plausible(output, success, &groups) {
        let case = Case::fail(
            "(cargo)",
            format!("{error:#}\n{}", crate::boot::console::tail(output)),
        );
        groups.push((String::new(), vec![case]));
    }
    groups
}

/// Whether as many tests were seen as Cargo's own sums say, and all of it ran.
fn plausible(output: &str, success: bool, groups: &Groups) -> Result<()> {
    let sums: usize = output
        .lines()
        .filter_map(|line| SUM.captures(line))
        .flat_map(|found| (1..=3).map(move |index| found[index].parse().unwrap_or(0)))
        .sum();
    let cases: Vec<&Case> = groups.iter().flat_map(|(_, cases)| cases).collect();
    let failed = cases
        .iter()
        .any(|case| matches!(case.outcome, crate::model::results::Outcome::Fail(_)));
    ensure!(
        sums == cases.len(),
        "{} of {sums} tests were read",
        cases.len()
    );
    ensure!(success || failed, "cargo test failed");
    ensure!(!cases.is_empty(), "no tests");
    Ok(())
}

/// What a failed test printed.
fn panic_message(output: &str, test: &str) -> String {
    let start = format!("---- {test} stdout ----\n");
    let Some((_, rest)) = output.split_once(&start) else {
        return "no message".to_owned();
    };
    let end = rest.find("\n\n").unwrap_or(rest.len());
    rest[..end].trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    const GOOD: &str = "   Compiling lab v0.1.0 (/lab)
     Running unittests src/main.rs (out/cargo/debug/deps/lab-caa716ab5be41a69)

running 2 tests
test a::b ... ok
test a::c ... ignored, slow

test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s

     Running tests/x.rs (/t/debug/deps/x-caa716ab5be41a69)

running 1 test
test d - should panic ... ok

test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s

   Doc-tests policy

running 0 tests

test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.0s
";

    fn failures(output: &str, success: bool) -> Vec<String> {
        let cases = groups(output, success)
            .into_iter()
            .flat_map(|(_, cases)| cases);
        cases
            .filter_map(|case| match case.outcome {
                Outcome::Fail(cause) => Some(cause),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn tests_are_read_by_program() {
        let expected = vec![
            (
                "lab".to_owned(),
                vec![Case::pass("a::b"), Case::skip("a::c", "slow")],
            ),
            ("x".to_owned(), vec![Case::pass("d")]),
        ];
        assert_eq!(groups(GOOD, true), expected);
    }

    #[test]
    fn a_failure_comes_with_its_message() {
        let text = GOOD.replace("b ... ok", "b ... FAILED").replace(
            "running 1 test",
            "---- a::b stdout ----\nthread panicked\nleft: 1\n\nfailures:",
        );
        assert_eq!(failures(&text, false), ["thread panicked\nleft: 1"]);
    }

    #[test]
    fn what_cannot_be_true_is_a_failure() {
        let lost = GOOD.replace("test a::b ... ok\n", "");
        for (text, success, message) in [
            (
                "error: could not compile `lab`\n",
                false,
                "cargo test failed",
            ),
            ("", true, "no tests"),
            (lost.as_str(), true, "2 of 3 tests were read"),
            (GOOD, false, "cargo test failed"),
        ] {
            let failures = failures(text, success);
            assert_eq!(failures.len(), 1, "{text}");
            assert!(failures[0].contains(message), "{failures:?}");
        }
    }
}
