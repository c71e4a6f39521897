// SPDX-License-Identifier: GPL-2.0

//! The tests that Cargo runs on this machine: the policy's and the lab's own.

use std::path::PathBuf;

use anyhow::{Context, Result};
use regex::Regex;

use crate::ask::libtest;
use crate::base::process::command;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::boot::console::tail;
use crate::get;
use crate::model::results::{Case, Groups};

pub fn run(project: &Project) -> Result<Groups> {
    let _step = Step::spinner("cargo test");
    get::want(project, "g++")?;
    let (status, text) = cargo(project, "test --locked --workspace --no-fail-fast")?;
    let mut groups = groups(&text, status == 0);
    groups.push(crate::verify::prove::tests(project));
    Ok(groups)
}

/// Has Cargo do something with the lab's workspace. Returns its status, and all that it said.
pub fn cargo(project: &Project, args: &str) -> Result<(i32, String)> {
    let output = command("cargo", args.split(' '))
        .dir(project.root().join("lab"))
        .env("CARGO_TERM_COLOR", "never")
        .env("CARGO_TARGET_DIR", target_dir()?)
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .context("cargo")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output.status.code().unwrap_or(-1), text))
}

/// Where this program was built: nothing that it needs is built a second time.
fn target_dir() -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    Ok(target.context("the program is in no directory")?.to_owned())
}

/// Each test of each program, by what Cargo printed.
fn groups(output: &str, success: bool) -> Groups {
    let program = r"(?m)^ +(?:Running .*[(/]|Doc-tests )([^/\n]+?)(?:-[0-9a-f]{16}\))?$";
    let program = Regex::new(program).expect("a valid pattern");
    let starts = program.captures_iter(output).map(|found| {
        let all = found.get_match();
        (all.start(), found[1].to_owned())
    });
    let starts: Vec<(usize, String)> = starts.collect();
    let ends = starts.iter().skip(1).map(|(start, _)| *start);
    let ends: Vec<usize> = ends.chain([output.len()]).collect();

    let mut groups = Groups::new();
    let mut planned = 0;
    for ((start, name), end) in starts.into_iter().zip(ends) {
        let tests = libtest::parse(&output[start..end]);
        planned += tests.planned;
        // Some programs, and most doc-tests, have nothing to run.
        if !tests.cases.is_empty() {
            groups.push((name, tests.cases));
        }
    }

    let cases: Vec<&Case> = groups.iter().flat_map(|(_, cases)| cases).collect();
    let problem = if cases.len() != planned {
        format!("{} of {planned} tests were read", cases.len())
    } else if !success && !cases.iter().any(|case| case.failed()) {
        "cargo test failed".to_owned()
    } else if planned == 0 {
        "no tests".to_owned()
    } else {
        return groups;
    };
    let case = Case::fail("(cargo)", format!("{problem}\n{}", tail(output)));
    groups.push((String::new(), vec![case]));
    groups
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
            "     Running tests/x.rs",
            "---- a::b stdout ----\nthread panicked\nleft: 1\n\nfailures:\n     Running tests/x.rs",
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
