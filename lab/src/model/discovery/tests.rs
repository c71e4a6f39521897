// SPDX-License-Identifier: GPL-2.0

use super::*;

const PSCI: Id = 0x6030_0000_0014_0000;
const WA1: Id = 0x6030_0000_0014_0001;
const WA2: Id = 0x6030_0000_0014_0002;
const VENDOR: Id = 0x6030_0000_0016_0002;
const VENDOR_2: Id = 0x6030_0000_0016_0003;

#[test]
fn each_call_is_made_once() {
    let calls = questions();
    assert_eq!(calls.lines().count(), 7);
    assert!(calls.contains("0x80000001 0x80007fff\n"));
    assert!(calls.contains("0x86000000 0x0\n"));
}

#[test]
fn answers_are_compared_with_registers() {
    let cases = [
        (PSCI, 0x1_0003, [0x1_0003, 0, 0, 0], None),
        (PSCI, 0x1_0003, [0x1_0001, 0, 0, 0], Some(0x1_0003)),
        (WA1, 0, [NOT_SUPPORTED, 0, 0, 0], None),
        (WA1, 1, [0; 4], None),
        (WA1, 2, [1, 0, 0, 0], None),
        (WA1, 2, [0; 4], Some(1)),
        (WA1, 7, [0; 4], None),
        (WA2, 1, [NOT_SUPPORTED, 0, 0, 0], None),
        (WA2, 3, [NOT_REQUIRED, 0, 0, 0], None),
        (WA2, 0, [NOT_REQUIRED, 0, 0, 0], Some(NOT_SUPPORTED)),
        (VENDOR, 3, [3, 0, 0, 0], None),
        (VENDOR, 0, [3, 0, 0, 0], Some(NOT_SUPPORTED)),
        (VENDOR_2, 1, [3, 0, 1, 0], None),
        (VENDOR_2, 0, [3, 0, 1, 0], Some(0)),
        // Nothing can be asked about it.
        (VENDOR_2, 1, [NOT_SUPPORTED, 0, 0, 0], None),
    ];
    for (id, value, results, expected) in cases {
        let question = QUESTIONS.iter().find(|question| question.id == id).unwrap();
        let told = Told([(question.call, results)].into());
        let found = told.contradictions(&[(id, value)]);
        let found = found.first().map(|found| found.expected);
        assert_eq!(found, expected, "{id:#x} = {value:#x}, told {results:x?}");
    }
}

#[test]
fn whole_answers_are_read_and_others_are_errors() {
    let text = questions();
    let lines: Vec<String> = text
        .lines()
        .map(|line| format!("told {line} 0x1 0x2 0x3 0x4"))
        .collect();
    let parse = |lines: &[String]| Told::parse(lines.iter().map(String::as_str));
    assert_eq!(parse(&lines).unwrap().about(VENDOR_2), Some(3));

    assert!(parse(&lines[1..]).is_err());
    for bad in [
        "told 0x1 0x2",
        "told 0x1 0x2 0x3 0x4 0x5 six",
        "0x1 0x2 0x3 0x4 0x5 0x6",
        "told 0x1 0x2 0x3 0x4 0x5 0x6",
    ] {
        let lines = [&lines[..], &[bad.to_owned()]].concat();
        assert!(parse(&lines).is_err(), "{bad}");
    }
}

#[test]
fn answers_are_shown_as_the_convention_names_them() {
    assert_eq!(show(NOT_REQUIRED), "-2");
    assert_eq!(show(1), "1");
    assert_eq!(show(0x1_0003), "0x10003");
}
