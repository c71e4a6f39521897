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

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    /// With what is known about the cause.
    Fail(String),
    /// With the reason.
    Skip(String),
}

/// One named result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    pub name: String,
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

    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Fail(_))
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
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Totals {
    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail(_) => self.failed += 1,
            Outcome::Skip(_) => self.skipped += 1,
        }
    }

    fn all(&self) -> usize {
        self.passed + self.failed + self.skipped
    }

    /// Nothing failed, and something ran.
    pub fn good(&self) -> bool {
        self.failed == 0 && self.passed > 0
    }
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// JSON Lines: one object for each case.
    Json,
}

/// A case as JSON tells it.
#[derive(Serialize)]
struct Line<'a> {
    case: &'a str,
    outcome: &'a str,
    /// Why it failed, or was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a str>,
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

    /// Takes one suite's results. A suite without any is a failure.
    pub fn suite(&mut self, suite: &str, groups: Vec<(String, Vec<Case>)>) -> Result<()> {
        let before = self.totals.all();
        for (group, cases) in groups {
            self.group(&join(suite, &group), &cases)?;
        }
        if self.totals.all() == before {
            self.group(suite, &[])?;
        }
        Ok(())
    }

    fn group(&mut self, group: &str, cases: &[Case]) -> Result<()> {
        if self.format == Format::Json {
            return self.lines(group, cases);
        }
        let mut passed = Vec::new();
        let mut skipped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for Case { name, outcome } in cases {
            self.totals.count(outcome);
            match outcome {
                Outcome::Pass => passed.push(name.as_str()),
                Outcome::Skip(reason) => skipped.entry(reason).or_default().push(name),
                Outcome::Fail(cause) => self.failure(join(group, name), cause)?,
            }
        }
        for (reason, names) in skipped {
            let line = format!("{}: {reason}", several(group, &names));
            self.line("SKIP", AnsiColor::Yellow, &line)?;
        }
        if !passed.is_empty() {
            self.line("PASS", AnsiColor::Green, &several(group, &passed))?;
        }
        if cases.is_empty() {
            self.totals.failed += 1;
            self.failure(group.to_owned(), "no result")?;
        }
        Ok(())
    }

    fn lines(&mut self, group: &str, cases: &[Case]) -> Result<()> {
        let missing = [Case::fail("", "no result")];
        for Case { name, outcome } in if cases.is_empty() { &missing } else { cases } {
            self.totals.count(outcome);
            let (outcome, cause) = match outcome {
                Outcome::Pass => ("pass", None),
                Outcome::Fail(cause) => ("fail", Some(&**cause)),
                Outcome::Skip(reason) => ("skip", Some(&**reason)),
            };
            let case = &join(group, name);
            let line = Line {
                case,
                outcome,
                cause,
            };
            serde_json::to_writer(&mut self.out, &line)?;
            writeln!(self.out)?;
        }
        Ok(())
    }

    fn failure(&mut self, name: String, cause: &str) -> Result<()> {
        self.line("FAIL", AnsiColor::Red, &name)?;
        self.failures.push((name, cause.to_owned()));
        Ok(())
    }

    /// Tells the failures again, with their causes, and the totals in the very last line.
    pub fn finish(mut self) -> Result<Totals> {
        if self.format == Format::Json {
            self.out.flush()?;
            return Ok(self.totals);
        }
        for (name, cause) in std::mem::take(&mut self.failures) {
            writeln!(self.out)?;
            self.line("FAIL", AnsiColor::Red, &name)?;
            for line in cause.lines() {
                writeln!(self.out, "     {line}")?;
            }
        }
        if self.totals.all() == 0 {
            writeln!(self.out, "nothing ran")?;
        }
        let Totals {
            passed,
            failed,
            skipped,
        } = self.totals;
        writeln!(
            self.out,
            "\n{passed} passed, {failed} failed, {skipped} skipped"
        )?;
        self.out.flush()?;
        Ok(self.totals)
    }

    fn line(&mut self, word: &str, color: AnsiColor, rest: &str) -> Result<()> {
        let style = Style::new().fg_color(Some(color.into())).bold();
        writeln!(self.out, "{style}{word}{style:#} {rest}")?;
        Ok(())
    }
}

/// One name in full, several by their number.
fn several(group: &str, names: &[&str]) -> String {
    match names {
        [name] => join(group, name),
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
