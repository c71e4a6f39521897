// SPDX-License-Identifier: GPL-2.0

//! Reads what the harness of Rust's tests prints.

use std::sync::LazyLock;

use regex::Regex;

use crate::base::process::last_lines;
use crate::model::results::Case;

/// How many of the last lines are shown of an output that cannot be true.
const CAUSE_LINES: usize = 20;

/// The exit status by which a program says that tests failed.
const STATUS_FAILED: i32 = 101;

/// What the programs in a text said.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tests {
    /// How many there should be.
    pub planned: usize,
    pub cases: Vec<Case>,
}

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static PLAN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^running (\d+) tests?$"));
static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^test (.*?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:, (.*))?$")
});

/// Reads results out of a text that may hold other lines too.
pub fn parse(output: &str) -> Tests {
    let mut tests = Tests::default();
    for line in output.lines() {
        if let Some(found) = PLAN.captures(line) {
            tests.planned += found[1].parse().unwrap_or(0);
        } else if let Some(found) = RESULT.captures(line) {
            let name = &found[1];
            tests.cases.push(match &found[2] {
                "ok" => Case::pass(name),
                "ignored" => Case::skip(name, found.get(3).map_or("ignored", |it| it.as_str())),
                _ => Case::fail(name, panic_message(output, name)),
            });
        }
    }
    tests
}

/// The results of one program by its exit status and its output.
///
/// What cannot be true is one more failure.
pub fn program(status: i32, output: &str) -> Vec<Case> {
    let Tests { planned, mut cases } = parse(output);
    let failed = cases.iter().any(Case::failed);
    let problem = if planned == 0 {
        "no tests".to_owned()
    } else if cases.len() != planned {
        format!("{} of {planned} tests were read", cases.len())
    } else if status != if failed { STATUS_FAILED } else { 0 } {
        "the results do not fit".to_owned()
    } else {
        return cases;
    };
    let said = last_lines(output, CAUSE_LINES).join("\n");
    let cause = format!("{problem}, with exit status {status}\n{said}");
    cases.push(Case::fail("(harness)", cause.trim_end()));
    cases
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

    const OUTPUT: &str = "
running 3 tests
test a::b ... ok
test a::c ... ignored, slow
test d - should panic ... FAILED

failures:

---- d stdout ----
thread panicked
left: 1

failures:
    d

test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.0s
";

    #[test]
    fn results_come_with_their_causes() {
        let expected = [
            Case::pass("a::b"),
            Case::skip("a::c", "slow"),
            Case::fail("d", "thread panicked\nleft: 1"),
        ];
        assert_eq!(program(101, OUTPUT), expected);
    }

    #[test]
    fn what_cannot_be_true_is_a_failure() {
        let good = "running 1 test\ntest a ... ok\n";
        let lost = OUTPUT.replace("test a::b ... ok\n", "");
        for (status, output, problem) in [
            (0, OUTPUT, Some("the results do not fit")),
            (124, OUTPUT, Some("the results do not fit")),
            (101, &lost, Some("2 of 3 tests were read")),
            (0, "running 0 tests\n", Some("no tests")),
            (127, "not found", Some("no tests")),
            (101, good, Some("the results do not fit")),
            (0, good, None),
        ] {
            let cases = program(status, output);
            let last = cases.last().unwrap();
            let is_problem = problem.is_none_or(|it| format!("{:?}", last.outcome).contains(it));
            assert_eq!(last.name == "(harness)", problem.is_some(), "{output}");
            assert!(is_problem, "{last:?}");
        }
    }
}
