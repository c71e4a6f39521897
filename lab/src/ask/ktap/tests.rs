// SPDX-License-Identifier: GPL-2.0

//! Texts in the protocol, good and bad.

use super::*;

const NESTED: &str = "\
KTAP version 1
1..1
  KTAP version 1
  1..3
    KTAP version 1
    1..1
    # test_1: initializing test_1
    ok 1 test_1
  ok 1 example_test_1
    KTAP version 1
    1..2
    ok 1 test_1 # SKIP test_1 skipped
    ok 2 test_2
  ok 2 example_test_2
    KTAP version 1
    1..3
    ok 1 test_1
    # test_2: FAIL
    not ok 2 test_2
    ok 3 test_3 # SKIP test_3 skipped
  not ok 3 example_test_3
not ok 1 main_test
";

/// Name, a letter for the outcome, and its text.
fn outline(cases: &[Case]) -> Vec<(String, char, String)> {
    cases
        .iter()
        .map(|case| {
            let (letter, text) = match &case.outcome {
                Outcome::Pass => ('p', ""),
                Outcome::Fail(cause) => ('f', cause.as_str()),
                Outcome::Skip(reason) => ('s', reason.as_str()),
            };
            (case.name.clone(), letter, text.to_owned())
        })
        .collect()
}

#[test]
fn the_documents_example_is_read() {
    let ktap = parse(NESTED);
    assert_eq!(ktap.problems, [""; 0]);
    let expected = [
        ("main_test/example_test_1/test_1", 'p', ""),
        ("main_test/example_test_2/test_1", 's', "test_1 skipped"),
        ("main_test/example_test_2/test_2", 'p', ""),
        ("main_test/example_test_3/test_1", 'p', ""),
        ("main_test/example_test_3/test_2", 'f', "    # test_2: FAIL"),
        ("main_test/example_test_3/test_3", 's', "test_3 skipped"),
    ];
    let expected = expected.map(|(name, letter, text)| (name.to_owned(), letter, text.to_owned()));
    assert_eq!(outline(&ktap.cases), expected);
}

#[test]
fn a_kernels_log_around_the_results_does_no_harm() {
    let log: String = NESTED
        .lines()
        .map(|line| format!("[    0.123456] {line}\n[    0.123457] random: crng init done\n"))
        .collect();
    let ktap = parse(&format!("[    0.000000] Booting Linux\n{log}"));
    assert_eq!(ktap.problems, [""; 0]);
    assert_eq!(ktap.cases.len(), 6);
}

#[test]
fn what_breaks_the_protocol_is_told() {
    let cases = [
        ("", "no results"),
        ("hello\n", "no results"),
        ("KTAP version 1\nok 1 a\n", "no plan"),
        (
            "KTAP version 1\n1..2\nok 1 a\n",
            "2 results planned, 1 came",
        ),
        ("KTAP version 1\n1..1\n", "1 results planned, 0 came"),
        (
            "KTAP version 1\n1..1\nok 1 a\nok 2 b\n",
            "1 results planned, 2 came",
        ),
        (
            "KTAP version 1\n1..2\nok 1 a\nok 1 a\n",
            "does not have that number",
        ),
        (
            "KTAP version 1\n1..2\nok 2 a\nok 1 b\n",
            "does not have that number",
        ),
        (
            "KTAP version 1\n1..1\nnot ok a\n",
            "does not have that number",
        ),
        ("KTAP version 1\n1..1\n1..1\nok 1 a\n", "a second plan"),
        (
            "KTAP version 1\n1..1\nok 1 a\nKTAP version 1\n1..1\nok 1 a\n",
            "a version line inside",
        ),
        ("ok 1 a\n", "belongs nowhere"),
        (
            "KTAP version 1\n1..1\nBail out! no memory\nok 1 a\n",
            "Bail out!",
        ),
        (
            "KTAP version 1\n1..1\n    KTAP version 1\n    1..1\n    ok 1 a\n",
            "without their sum",
        ),
        (
            "KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\n\
             \x20   KTAP version 1\n    1..1\n    not ok 1 lost\nok 1 suite\n",
            "without their sum",
        ),
        (
            "KTAP version 1\n1..1\n    KTAP version 1\n    1..2\n    ok 1 a\nok 1 suite\n",
            "suite: 2 results planned, 1 came",
        ),
        (
            "KTAP version 1\n1..1\n    KTAP version 1\n    1..1\n    not ok 1 a\nok 1 suite\n",
            "`suite` passed with a failure inside",
        ),
    ];
    for (text, message) in cases {
        let problems = parse(text).problems.join("; ");
        assert!(problems.contains(message), "{text:?}: {problems}");
        assert_eq!(
            outline(&program(0, text))
                .last()
                .map(|(name, letter, _)| (name.as_str(), *letter)),
            Some(("(protocol)", 'f')),
            "{text:?}"
        );
    }
}

#[test]
fn a_status_that_contradicts_the_results_is_a_failure() {
    let passed = "KTAP version 1\n1..1\nok 1 a\n";
    let failed = "KTAP version 1\n1..1\nnot ok 1 a\n";
    let skipped = "KTAP version 1\n1..1\nok 1 a # SKIP why\n";
    let skipped_early = "1..0 # SKIP - no KVM\n";
    let cases = [
        (0, passed, "p"),
        (1, passed, "pf"),
        (4, passed, "pf"),
        (143, passed, "pf"),
        (1, failed, "f"),
        (0, failed, "ff"),
        (254, failed, "ff"),
        (0, skipped, "s"),
        (4, skipped, "s"),
        (1, skipped, "sf"),
        (4, skipped_early, "s"),
    ];
    for (status, text, letters) in cases {
        let found: String = outline(&program(status, text))
            .iter()
            .map(|(_, letter, _)| *letter)
            .collect();
        assert_eq!(found, letters, "{status} {text:?}");
    }
}

#[test]
fn an_expected_failure_is_no_failure() {
    let text = "TAP version 13\n1..2\nnot ok 1 a # TODO broken\nok 2 # XFAIL b: why\n";
    let expected = [
        ("a".to_owned(), 's', "expected failure: broken".to_owned()),
        ("b".to_owned(), 's', "expected failure: why".to_owned()),
    ];
    assert_eq!(outline(&program(0, text)), expected);
}

#[test]
fn the_same_name_twice_stays_two_results() {
    let ktap = parse("KTAP version 1\n1..2\nok 1 a\nok 2 a\n");
    assert_eq!(ktap.cases[1].name, "a (again, result 2)");
}

#[test]
fn a_failed_sum_without_a_failed_part_is_a_failure() {
    let ktap = parse("KTAP version 1\n1..1\n  KTAP version 1\n  1..1\n  ok 1 a\nnot ok 1 suite\n");
    let letters: String = outline(&ktap.cases).iter().map(|(_, l, _)| *l).collect();
    assert_eq!(letters, "pf");
}
