// SPDX-License-Identifier: GPL-2.0

//! One line of the protocol.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::results::Outcome;

#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    Version,
    Plan {
        count: usize,
        skip: Option<&'a str>,
    },
    Result {
        number: Option<usize>,
        name: &'a str,
        /// A failure has what the line itself says about it, which may be nothing.
        outcome: Outcome,
    },
    BailOut,
    /// Diagnostics, and whatever else is on a console.
    Other,
}

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a valid pattern")
}

/// The kernel's own time, and thread or CPU, before a line of its log.
static TIMESTAMP: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?"));
static VERSION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?:KTAP version 1|TAP version 1[34])$"));
static PLAN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^1\.\.(\d+)(?:\s+#\s*(?i:SKIP)\b(.*))?$"));
static RESULT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(not )?ok(?:\s+(\d+))?(?:\s+-)?(?:\s+([^#]*))?(?:#\s*(.*))?$"));

/// The line's indentation and meaning.
pub fn parse(text: &str) -> (usize, Line<'_>) {
    let time = TIMESTAMP.find(text).map_or(0, |found| found.end());
    let text = text[time..].trim_end();
    let line = text.trim_start();
    (text.len() - line.len(), meaning(line))
}

fn meaning(line: &str) -> Line<'_> {
    if VERSION.is_match(line) {
        return Line::Version;
    }
    if line.starts_with("Bail out!") {
        return Line::BailOut;
    }
    if let Some(found) = PLAN.captures(line) {
        // A count too large for a number is no plan.
        if let Ok(count) = found[1].parse() {
            let skip = found.get(2).map(|reason| clean(reason.as_str()));
            return Line::Plan { count, skip };
        }
    }
    if let Some(found) = RESULT.captures(line) {
        let text = |index| found.get(index).map_or("", |text| text.as_str().trim());
        let ok = found.get(1).is_none();
        let number = text(2).parse().ok();
        // "ok" may begin a sentence. "not ok" without a number is taken seriously.
        if !ok || number.is_some() {
            let (name, outcome) = outcome(ok, text(3), text(4));
            return Line::Result {
                number,
                name,
                outcome,
            };
        }
    }
    Line::Other
}

/// What a result is, with what follows its `#`.
fn outcome<'a>(ok: bool, mut name: &'a str, directive: &'a str) -> (&'a str, Outcome) {
    let (word, rest) = directive
        .split_once(char::is_whitespace)
        .unwrap_or((directive, ""));
    let word = word.trim_end_matches(':').to_ascii_uppercase();
    let mut reason = clean(rest);
    let skips = matches!(&*word, "SKIP" | "TODO" | "XFAIL");
    // The kselftest library has no name for a skipped result but says "name: reason" or the name
    // instead of a reason.
    if skips && name.is_empty() {
        (name, reason) = reason.split_once(": ").unwrap_or((reason, ""));
    }
    if name.is_empty() {
        name = "unnamed";
    }
    let outcome = match &*word {
        "SKIP" => Outcome::Skip(reason.to_owned()),
        _ if skips => Outcome::Skip(format!("expected failure: {reason}")),
        _ if ok => Outcome::Pass,
        _ => Outcome::Fail(directive.to_owned()),
    };
    (name, outcome)
}

/// Reasons come as "# SKIP - reason" too.
fn clean(reason: &str) -> &str {
    reason.trim().trim_start_matches("- ").trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(number: usize, name: &str, outcome: Outcome) -> Line<'_> {
        Line::Result {
            number: Some(number),
            name,
            outcome,
        }
    }

    #[test]
    fn lines_are_told_apart() {
        use Outcome::Pass;
        let skip = |reason: &str| Outcome::Skip(reason.to_owned());
        let fail = |reason: &str| Outcome::Fail(reason.to_owned());
        let plan = |count, skip| Line::Plan { count, skip };
        let cases = [
            ("KTAP version 1", 0, Line::Version),
            ("TAP version 13", 0, Line::Version),
            ("    TAP version 14", 4, Line::Version),
            ("KTAP version 12", 0, Line::Other),
            ("1..3", 0, plan(3, None)),
            ("1..0 # SKIP - no KVM", 0, plan(0, Some("no KVM"))),
            ("1..x", 0, Line::Other),
            ("ok 1 name", 0, result(1, "name", Pass)),
            ("ok 1 - name", 0, result(1, "name", Pass)),
            ("ok 1", 0, result(1, "unnamed", Pass)),
            ("not ok 12 a b", 0, result(12, "a b", fail(""))),
            ("ok 5 x # rcode=0", 0, result(5, "x", Pass)),
            ("ok 2 x # SKIP no y", 0, result(2, "x", skip("no y"))),
            ("ok 2 x # skip", 0, result(2, "x", skip(""))),
            ("not ok 2 x # SKIP", 0, result(2, "x", skip(""))),
            ("ok 2 # SKIP no y", 0, result(2, "no y", skip(""))),
            (
                "not ok 3 x # TODO y",
                0,
                result(3, "x", skip("expected failure: y")),
            ),
            (
                "ok 3 x # XFAIL y",
                0,
                result(3, "x", skip("expected failure: y")),
            ),
            (
                "not ok 1 x # TIMEOUT 30 seconds",
                0,
                result(1, "x", fail("TIMEOUT 30 seconds")),
            ),
            ("[    1.234567]     ok 1 x", 4, result(1, "x", Pass)),
            ("[    1.234567][    T1] 1..2", 0, plan(2, None)),
            ("ok, going on", 0, Line::Other),
            ("ok going on", 0, Line::Other),
            ("okay 1", 0, Line::Other),
            ("# ok 1 x", 0, Line::Other),
            ("Bail out! no memory", 0, Line::BailOut),
            ("", 0, Line::Other),
        ];
        for (text, indent, line) in cases {
            assert_eq!(parse(text), (indent, line), "{text:?}");
        }
    }

    #[test]
    fn a_failure_without_a_number_is_not_overlooked() {
        assert!(matches!(
            parse("not ok name").1,
            Line::Result {
                number: None,
                outcome: Outcome::Fail(_),
                ..
            }
        ));
    }
}
