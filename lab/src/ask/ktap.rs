// SPDX-License-Identifier: GPL-2.0

//! Reads the Kernel Test Anything Protocol, `Documentation/dev-tools/ktap.rst`.
//!
//! Stricter than the document where a lost result could pass for a good one: each level needs its
//! plan, each planned result must come, in order and once.

mod line;

use crate::model::results::{Case, Outcome};
use line::{Directive, Line};

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

    let failed = cases
        .iter()
        .any(|case| matches!(case.outcome, Outcome::Fail(_)));
    let skipped = cases
        .iter()
        .all(|case| matches!(case.outcome, Outcome::Skip(_)));
    match status {
        0 if !failed => (),
        STATUS_SKIP if skipped => (),
        1 if failed => (),
        _ => problems.push(format!("the exit status {status} does not fit the results")),
    }

    if !problems.is_empty() {
        problems.extend(last_lines(&output.lines().collect::<Vec<_>>()));
        cases.push(Case::fail("(protocol)", problems.join("\n")));
    }
    cases
}

/// One level of nesting.
struct Level {
    indent: usize,
    plan: Option<usize>,
    results: usize,
    cases: Vec<Case>,
}

#[derive(Default)]
struct Parser<'a> {
    levels: Vec<Level>,
    ktap: Ktap,
    /// The lines since the last result.
    talk: Vec<&'a str>,
}

/// Reads results out of a text that may hold other lines too.
pub fn parse(text: &str) -> Ktap {
    let mut parser = Parser::default();
    for line in text.lines() {
        parser.line(line);
    }
    parser.finish()
}

impl<'a> Parser<'a> {
    fn line(&mut self, text: &'a str) {
        let (indent, line) = line::parse(text);
        match line {
            Line::Version => self.open(indent),
            Line::Plan { count, skip } => self.plan(indent, count, skip),
            Line::Result {
                ok,
                number,
                name,
                directive,
            } => self.result(indent, ok, number, name, directive),
            Line::BailOut => self.problem(text.trim()),
            Line::Other => self.talk.push(text),
        }
    }

    fn open(&mut self, indent: usize) {
        if self.levels.last().is_some_and(|top| top.indent >= indent) {
            self.problem("a version line inside unfinished results");
            return;
        }
        self.levels.push(Level {
            indent,
            plan: None,
            results: 0,
            cases: Vec::new(),
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

    fn result(
        &mut self,
        indent: usize,
        ok: bool,
        number: Option<usize>,
        name: &str,
        directive: Directive<'_>,
    ) {
        let Some(depth) = self.levels.iter().rposition(|level| level.indent == indent) else {
            return self.problem(&format!("the result of `{name}` belongs nowhere"));
        };
        let mut nested = Vec::new();
        while self.levels.len() > depth + 1 {
            nested = self.close(name);
        }

        let expected = self.levels[depth].results + 1;
        self.levels[depth].results = expected;
        if number != Some(expected) {
            self.problem(&format!(
                "result {expected}, `{name}`, does not have that number"
            ));
        }

        let (name, directive) = with_name(name, directive);
        let outcome = match directive {
            Directive::Skip(reason) => Outcome::Skip(reason.to_owned()),
            Directive::Expected(reason) => Outcome::Skip(format!("expected failure: {reason}")),
            Directive::None(_) if ok => Outcome::Pass,
            Directive::None(reason) => Outcome::Fail(cause(reason, &self.talk)),
        };
        self.talk.clear();
        self.take(depth, name, outcome, nested);
    }

    /// Adds a result. One with nested results only sums them up.
    fn take(&mut self, depth: usize, name: &str, outcome: Outcome, nested: Vec<Case>) {
        let nested_failed = nested
            .iter()
            .any(|case| matches!(case.outcome, Outcome::Fail(_)));
        if nested_failed && outcome == Outcome::Pass {
            self.problem(&format!("`{name}` passed with a failure inside"));
        }

        let is_own_result =
            nested.is_empty() || matches!(outcome, Outcome::Fail(_)) && !nested_failed;
        let cases = &mut self.levels[depth].cases;
        cases.extend(nested.into_iter().map(|case| Case {
            name: format!("{name}/{}", case.name),
            ..case
        }));
        if is_own_result {
            // Names are for people to find a test by: make them so.
            let same = cases.iter().filter(|case| case.name == name).count();
            let name = match same {
                0 => name.to_owned(),
                _ => format!("{name} (again, result {})", self.levels[depth].results),
            };
            self.levels[depth].cases.push(Case { name, outcome });
        }
    }

    /// Ends the innermost level; `name` tells whose it is.
    fn close(&mut self, name: &str) -> Vec<Case> {
        let Some(level) = self.levels.pop() else {
            return Vec::new();
        };
        match level.plan {
            None => self.problem(&format!("{name}: no plan")),
            Some(plan) if plan != level.results => self.problem(&format!(
                "{name}: {plan} results planned, {} came",
                level.results
            )),
            Some(_) => (),
        }
        level.cases
    }

    fn finish(mut self) -> Ktap {
        if self.levels.is_empty() {
            self.problem("no results in the test protocol");
        }
        while self.levels.len() > 1 {
            self.problem("nested results without their sum");
            let cases = self.close("nested results");
            self.ktap.cases.extend(cases);
        }
        if !self.levels.is_empty() {
            let cases = self.close("the whole");
            self.ktap.cases.extend(cases);
        }
        self.ktap
    }

    fn problem(&mut self, what: &str) {
        self.ktap.problems.push(what.to_owned());
    }
}

/// The kselftest library has no name for a skipped result but says "name: reason" or the name
/// instead of a reason.
fn with_name<'a>(name: &'a str, directive: Directive<'a>) -> (&'a str, Directive<'a>) {
    let split = |text: &'a str| text.split_once(": ").unwrap_or((text, ""));
    match (name, directive) {
        ("", Directive::Skip(text)) if !text.is_empty() => {
            let (name, reason) = split(text);
            (name, Directive::Skip(reason))
        }
        ("", Directive::Expected(text)) if !text.is_empty() => {
            let (name, reason) = split(text);
            (name, Directive::Expected(reason))
        }
        ("", _) => ("unnamed", directive),
        _ => (name, directive),
    }
}

fn cause(reason: &str, talk: &[&str]) -> String {
    let mut lines = last_lines(talk);
    if !reason.is_empty() {
        lines.insert(0, reason.to_owned());
    }
    if lines.is_empty() {
        lines.push("not ok".to_owned());
    }
    lines.join("\n")
}

fn last_lines(lines: &[&str]) -> Vec<String> {
    lines[lines.len().saturating_sub(CAUSE_LINES)..]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

#[cfg(test)]
mod tests;
