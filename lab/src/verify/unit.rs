// SPDX-License-Identifier: GPL-2.0

//! The tests that Cargo runs on this machine: the policy's and the lab's own.

use anyhow::{Context, Result};
use regex::Regex;

use crate::base::process::command;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::boot::console::tail;
use crate::get;
use crate::model::results::{Case, Groups};

pub fn run(project: &Project) -> Result<Groups> {
    let _step = Step::spinner("cargo test");
    get::want(project, "g++")?;
    // Where this program was built: nothing that it needs is built a second time.
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    let target = target.context("the program is in no directory")?;
    let args = [
        "test",
        "--locked",
        "--workspace",
        "--no-fail-fast",
        "--color=never",
        "--target-dir",
        &target.to_string_lossy(),
    ];
    let output = command("cargo", args)
        .dir(project.root().join("lab"))
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .context("cargo")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut groups = groups(&text, output.status.success());
    groups.push(crate::verify::prove::tests(project));
    Ok(groups)
}

/// Each test of each program, by what Cargo printed.
fn groups(output: &str, success: bool) -> Groups {
    let pattern = |text| Regex::new(text).expect("a valid pattern");
    let program = pattern(r"^ +(?:Running .*[(/]|Doc-tests )([^/]+?)(?:-[0-9a-f]{16}\))?$");
    let planned = pattern(r"^running (\d+) tests?$");
    let test = pattern(r"^test (.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.*))?$");

    let mut groups = Groups::new();
    let mut count = 0;
    for line in output.lines() {
        if let Some(found) = program.captures(line) {
            groups.push((found[1].to_owned(), Vec::new()));
        } else if let Some(found) = planned.captures(line) {
            count += found[1].parse().unwrap_or(0);
        } else if let (Some(found), Some((_, cases))) = (test.captures(line), groups.last_mut()) {
            let name = &found[1];
            cases.push(match &found[2] {
                "ok" => Case::pass(name),
                "ignored" => Case::skip(name, found.get(3).map_or("ignored", |it| it.as_str())),
                _ => Case::fail(name, panic_message(output, name)),
            });
        }
    }
    // Some programs, and most doc-tests, have nothing to run.
    groups.retain(|(_, cases)| !cases.is_empty());

    let cases: Vec<&Case> = groups.iter().flat_map(|(_, cases)| cases).collect();
    let problem = if cases.len() != count {
        format!("{} of {count} tests were read", cases.len())
    } else if !success && !cases.iter().any(|case| case.failed()) {
        "cargo test failed".to_owned()
    } else if count == 0 {
        "no tests".to_owned()
    } else {
        return groups;
    };
    let case = Case::fail("(cargo)", format!("{problem}\n{}", tail(output)));
    groups.push((String::new(), vec![case]));
    groups
}

/// What a failed test printed.
fn panic_message<'a>(output: &'a str, test: &str) -> &'a str {
    let start = format!("---- {test} stdout ----\n");
    let Some((_, rest)) = output.split_once(&start) else {
        return "no message";
    };
    let ends = ["\n---- ", "\nfailures:\n"].map(|end| rest.find(end).unwrap_or(rest.len()));
    rest[..ends[0].min(ends[1])].trim()
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
            "   Doc-tests policy",
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
