// SPDX-License-Identifier: GPL-2.0

//! Results of checks, and how they are printed.
//!
//! A group is what one program or one comparison said. What passed in it takes one line, what was
//! skipped one per reason; failures are told one by one, and with their causes at the end.

use std::collections::BTreeMap;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;

/// Results of one step, by group.
pub type Groups = Vec<(String, Vec<Case>)>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", content = "cause", rename_all = "lowercase")]
pub enum Outcome {
    Pass,
    /// With what is known about the cause.
    Fail(String),
    /// With the reason.
    Skip(String),
}

/// One named result; programs read it as a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Case {
    #[serde(rename = "case")]
    pub name: String,
    #[serde(flatten)]
    pub outcome: Outcome,
}

impl Case {
    pub fn new(name: impl Into<String>, outcome: Outcome) -> Self {
        Self {
            name: name.into(),
            outcome,
        }
    }

    pub fn pass(name: impl Into<String>) -> Self {
        Self::new(name, Outcome::Pass)
    }

    pub fn fail(name: impl Into<String>, cause: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail(cause.into()))
    }

    pub fn skip(name: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skip(reason.into()))
    }

    /// A pass, or a failure with the error as its cause.
    pub fn from_result(name: impl Into<String>, result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::pass(name),
            Err(error) => Self::fail(name, format!("{error:#}")),
        }
    }

    /// A pass if it is good, or else a failure with this cause.
    pub fn good_or(good: bool, name: impl Into<String>, cause: impl Into<String>) -> Self {
        match good {
            true => Self::pass(name),
            false => Self::fail(name, cause),
        }
    }

    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Fail(_))
    }
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Totals {
    /// Nothing failed, and something ran.
    pub fn good(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

/// How results are printed: for people, or as JSON Lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
}

/// All results, printed as they come.
pub struct Report<W: Write> {
    out: W,
    format: Format,
    totals: Totals,
    /// Full name and cause.
    failures: Vec<(String, String)>,
}

impl<W: Write> Report<W> {
    pub fn new(out: W) -> Self {
        Self::in_format(out, Format::Text)
    }

    pub fn in_format(out: W, format: Format) -> Self {
        Self {
            out,
            format,
            totals: Totals::default(),
            failures: Vec::new(),
        }
    }

    /// Takes one suite's results. A suite or a group without any is a failure.
    pub fn suite(&mut self, suite: &str, groups: Groups) -> Result<()> {
        if groups.is_empty() {
            return self.group(suite, Vec::new());
        }
        for (group, cases) in groups {
            self.group(&join(suite, &group), cases)?;
        }
        Ok(())
    }

    fn group(&mut self, group: &str, mut cases: Vec<Case>) -> Result<()> {
        if cases.is_empty() {
            cases.push(Case::fail("", "no result"));
        }
        let mut passed = Vec::new();
        let mut skipped: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for mut case in cases {
            case.name = join(group, &case.name);
            if self.format == Format::Json {
                serde_json::to_writer(&mut self.out, &case)?;
                writeln!(self.out)?;
            }
            match case.outcome {
                Outcome::Pass => passed.push(case.name),
                Outcome::Skip(reason) => skipped.entry(reason).or_default().push(case.name),
                Outcome::Fail(cause) => {
                    self.line("FAIL", AnsiColor::Red, &case.name)?;
                    self.failures.push((case.name, cause));
                }
            }
        }
        for (reason, names) in skipped {
            self.totals.skipped += names.len();
            let line = format!("{}: {reason}", several(group, &names));
            self.line("SKIP", AnsiColor::Yellow, &line)?;
        }
        if !passed.is_empty() {
            self.totals.passed += passed.len();
            self.line("PASS", AnsiColor::Green, &several(group, &passed))?;
        }
        Ok(())
    }

    /// Tells the failures again, with their causes, and the totals in the very last line.
    pub fn finish(mut self) -> Result<Totals> {
        let failures = std::mem::take(&mut self.failures);
        let failed = failures.len();
        self.totals.failed = failed;
        if self.format == Format::Text {
            for (name, cause) in failures {
                writeln!(self.out)?;
                self.line("FAIL", AnsiColor::Red, &name)?;
                for line in cause.lines() {
                    writeln!(self.out, "     {line}")?;
                }
            }
            let (passed, skipped) = (self.totals.passed, self.totals.skipped);
            let sum = format!("{passed} passed, {failed} failed, {skipped} skipped");
            writeln!(self.out, "\n{sum}")?;
        }
        self.out.flush()?;
        Ok(self.totals)
    }

    /// A line for people.
    fn line(&mut self, word: &str, color: AnsiColor, rest: &str) -> Result<()> {
        if self.format == Format::Text {
            let style = Style::new().fg_color(Some(color.into())).bold();
            writeln!(self.out, "{style}{word}{style:#} {rest}")?;
        }
        Ok(())
    }
}

/// One name in full, several by their number.
fn several(group: &str, names: &[String]) -> String {
    match names {
        [name] => name.clone(),
        _ => format!("{group} ({})", names.len()),
    }
}

fn join(above: &str, name: &str) -> String {
    if name.is_empty() {
        above.to_owned()
    } else {
        format!("{above}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(suites: Vec<Vec<(String, Vec<Case>)>>) -> (String, Totals) {
        let mut text = Vec::new();
        let mut report = Report::new(anstream::StripStream::new(&mut text));
        for suite in suites {
            report.suite("suite", suite).unwrap();
        }
        let totals = report.finish().unwrap();
        (String::from_utf8(text).unwrap(), totals)
    }

    #[test]
    fn the_last_line_has_the_totals() {
        let cases = vec![
            Case::pass("a"),
            Case::pass("b"),
            Case::skip("c", "no SSBS"),
            Case::fail("d", "one\ntwo"),
        ];
        let (text, totals) = print(vec![vec![("group".to_owned(), cases)]]);
        assert_eq!(
            text,
            "FAIL suite/group/d\nSKIP suite/group/c: no SSBS\nPASS suite/group (2)\n\n\
             FAIL suite/group/d\n     one\n     two\n\n2 passed, 1 failed, 1 skipped\n"
        );
        assert!(!totals.good());
    }

    #[test]
    fn a_failed_step_does_not_take_the_others_with_it() {
        let group = |case| vec![(String::new(), vec![case])];
        let suites = vec![
            group(Case::fail("a", "why")),
            group(Case::pass("b")),
            vec![],
            group(Case::pass("c")),
        ];
        let (text, totals) = print(suites);
        for line in ["FAIL suite/a\n", "PASS suite/b\n", "PASS suite/c\n"] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!((totals.passed, totals.failed), (2, 2));
    }

    #[test]
    fn programs_read_one_object_for_each_case() {
        let mut text = Vec::new();
        let mut report = Report::in_format(&mut text, Format::Json);
        let cases = vec![Case::pass("a"), Case::skip("b", "why")];
        let groups = vec![("group".to_owned(), cases), (String::new(), vec![])];
        report.suite("suite", groups).unwrap();
        assert!(!report.finish().unwrap().good());
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "{\"case\":\"suite/group/a\",\"outcome\":\"pass\"}\n\
             {\"case\":\"suite/group/b\",\"outcome\":\"skip\",\"cause\":\"why\"}\n\
             {\"case\":\"suite\",\"outcome\":\"fail\",\"cause\":\"no result\"}\n"
        );
    }

    #[test]
    fn nothing_is_not_good() {
        assert!(!print(vec![]).1.good());
        assert!(!print(vec![vec![]]).1.good());
        assert!(!print(vec![vec![("group".to_owned(), vec![])]]).1.good());
        let skipped = vec![Case::skip("a", "why")];
        assert!(!print(vec![vec![(String::new(), skipped)]]).1.good());
    }

    #[test]
    fn passes_and_skips_are_good() {
        let cases = vec![Case::pass("a"), Case::skip("b", "why")];
        assert!(print(vec![vec![(String::new(), cases)]]).1.good());
    }
}
