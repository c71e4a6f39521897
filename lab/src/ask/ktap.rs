// SPDX-License-Identifier: GPL-2.0

//! Reads the Kernel Test Anything Protocol, `Documentation/dev-tools/ktap.rst`.
//!
//! Stricter than the document where a lost result could pass for a good one: each level needs its
//! plan, each planned result must come, in order and once.

mod line;

use std::iter;

use crate::base::process::last_lines;
use crate::model::results::{Case, Outcome};
use line::Line;

/// How many of the lines before a failure are shown as its cause.
const CAUSE_LINES: usize = 20;

/// The exit status by which a kselftest says "skipped".
const STATUS_SKIP: i32 = 4;

/// What a text in the protocol says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ktap {
    /// Results without those that only sum up others; a nested one's name is a path.
    pub cases: Vec<Case>,
    /// Violations of the protocol. Any makes all results doubtful.
    pub problems: Vec<String>,
}

/// The results of a program by its exit status and its output.
///
/// What is wrong with the protocol, or with the status, is one more failure.
pub fn program(status: i32, output: &str) -> Vec<Case> {
    let Ktap {
        mut cases,
        mut problems,
    } = parse(output);

    let failed = cases.iter().any(Case::failed);
    let mut outcomes = cases.iter().map(|case| &case.outcome);
    let skipped = outcomes.all(|outcome| matches!(outcome, Outcome::Skip(_)));
    match status {
        0 if !failed => (),
        STATUS_SKIP if skipped => (),
        1 if failed => (),
        _ => problems.push(format!("the exit status {status} does not fit the results")),
    }

    if !problems.is_empty() {
        let said = last_lines(output, CAUSE_LINES).join("\n");
        let cause = format!("{}\n{said}", problems.join("\n"));
        cases.push(Case::fail("(protocol)", cause.trim_end()));
    }
    cases
}

/// Reads results out of a text that may hold other lines too.
pub fn parse(text: &str) -> Ktap {
    let mut parser = Parser::default();
    for line in text.lines() {
        parser.line(line);
    }
    if parser.levels.is_empty() {
        parser.problem("no results in the test protocol");
    }
    let cases = parser.close(0, "the whole");
    Ktap {
        cases,
        problems: parser.problems,
    }
}

/// One level of nesting.
#[derive(Default)]
struct Level {
    indent: usize,
    plan: Option<usize>,
    results: usize,
    cases: Vec<Case>,
}

#[derive(Default)]
struct Parser<'a> {
    levels: Vec<Level>,
    problems: Vec<String>,
    /// The lines since the last result.
    talk: Vec<&'a str>,
}

impl<'a> Parser<'a> {
    fn line(&mut self, text: &'a str) {
        let (indent, line) = line::parse(text);
        match line {
            Line::Version => self.open(indent),
            Line::Plan { count, skip } => self.plan(indent, count, skip),
            Line::Result {
                number,
                name,
                outcome,
            } => self.result(indent, number, name, outcome),
            Line::BailOut => self.problem(text.trim()),
            Line::Other => self.talk.push(text),
        }
    }

    fn open(&mut self, indent: usize) {
        if self.levels.last().is_some_and(|top| top.indent >= indent) {
            return self.problem("a version line inside unfinished results");
        }
        self.levels.push(Level {
            indent,
            ..Level::default()
        });
    }

    fn plan(&mut self, indent: usize, count: usize, skip: Option<&str>) {
        // Programs that skip before they start print nothing but such a plan.
        if self.levels.is_empty() {
            self.open(indent);
        }
        let Some(top) = self.levels.last_mut().filter(|top| top.indent == indent) else {
            return self.problem("a plan that belongs nowhere");
        };
        if top.plan.replace(count).is_some() {
            self.problem("a second plan");
        } else if let Some(reason) = skip {
            top.cases.push(Case::skip("", reason));
        }
    }

    /// Adds a result. One with nested results only sums them up.
    fn result(&mut self, indent: usize, number: Option<usize>, name: &str, mut outcome: Outcome) {
        let Some(depth) = self.levels.iter().rposition(|level| level.indent == indent) else {
            return self.problem(format!("the result of `{name}` belongs nowhere"));
        };
        let nested = self.close(depth + 1, name);
        let nested_failed = nested.iter().any(Case::failed);
        if nested_failed && outcome == Outcome::Pass {
            self.problem(format!("`{name}` passed with a failure inside"));
        }
        if let Outcome::Fail(cause) = &mut outcome {
            let talk = &self.talk[self.talk.len().saturating_sub(CAUSE_LINES)..];
            let lines = iter::once(&**cause).chain(talk.iter().copied());
            let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            *cause = match &*lines {
                [] => "not ok".to_owned(),
                lines => lines.join("\n"),
            };
        }
        self.talk.clear();

        let level = &mut self.levels[depth];
        level.results += 1;
        let place = level.results;
        let is_own = nested.is_empty() || matches!(outcome, Outcome::Fail(_)) && !nested_failed;
        level.cases.extend(nested.into_iter().map(|case| Case {
            name: format!("{name}/{}", case.name),
            ..case
        }));
        if is_own {
            // Names are for people to find a test by: make them so.
            let again = level.cases.iter().any(|case| case.name == name);
            let name = match again {
                false => name.to_owned(),
                true => format!("{name} (again, result {place})"),
            };
            level.cases.push(Case { name, outcome });
        }
        if number != Some(place) {
            self.problem(format!(
                "result {place}, `{name}`, does not have that number"
            ));
        }
    }

    /// Ends the levels from `depth` on. The outermost of them is the one of `name`; what is nested
    /// in that should have been summed up before.
    fn close(&mut self, depth: usize, name: &str) -> Vec<Case> {
        let mut cases = Vec::new();
        for (inside, level) in self.levels.split_off(depth).into_iter().enumerate() {
            if inside > 0 {
                self.problem("nested results without their sum");
            }
            let results = level.results;
            match level.plan {
                Some(plan) if plan == results => (),
                Some(plan) => {
                    self.problem(format!("{name}: {plan} results planned, {results} came"));
                }
                None => self.problem(format!("{name}: no plan")),
            }
            cases.extend(level.cases);
        }
        cases
    }

    fn problem(&mut self, what: impl Into<String>) {
        self.problems.push(what.into());
    }
}

#[cfg(test)]
mod tests;
