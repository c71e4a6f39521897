// SPDX-License-Identifier: GPL-2.0

//! What our selftests are expected to find with the C handlers, `lab/c-failures.toml`, and what
//! they must not leave out with the Rust ones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use glob::Pattern;
use serde::Deserialize;

use crate::deviations::Deviation;
use crate::project::Project;
use crate::results::{Case, Outcome};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    failure: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    deviation: String,
    test: String,
    cases: Vec<String>,
}

struct Failure {
    deviation: String,
    test: String,
    case: Pattern,
}

/// Judges the results of one kernel on all hosts, one host after the other.
pub struct Expected {
    failures: Vec<Failure>,
    /// Cases that are listed, by test and name: whether they failed anywhere.
    failed: BTreeMap<(String, String), bool>,
    /// Patterns that matched a case, by index.
    used: BTreeSet<usize>,
    /// All cases by test and name: whether they were run anywhere.
    ran: BTreeMap<(String, String), bool>,
}

impl Expected {
    /// No failure at all.
    pub fn nothing() -> Self {
        Self {
            failures: Vec::new(),
            failed: BTreeMap::new(),
            used: BTreeSet::new(),
            ran: BTreeMap::new(),
        }
    }

    pub fn with_c(project: &Project) -> Result<Self> {
        let path = project.root().join("lab/c-failures.toml");
        Self::parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut expected = Self::nothing();
        for entry in toml::from_str::<File>(text)?.failure {
            for case in entry.cases {
                expected.failures.push(Failure {
                    deviation: entry.deviation.clone(),
                    test: entry.test.clone(),
                    case: Pattern::new(&case).with_context(|| format!("`{case}`"))?,
                });
            }
        }
        Ok(expected)
    }

    /// Takes the results of one test on one host; those that fail as expected are no failures.
    pub fn judge(&mut self, test: &str, cases: Vec<Case>) -> Vec<Case> {
        cases
            .into_iter()
            .map(|case| self.judge_case(test, case))
            .collect()
    }

    fn judge_case(&mut self, test: &str, case: Case) -> Case {
        let key = (test.to_owned(), case.name.clone());
        let skipped = matches!(case.outcome, Outcome::Skip(_));
        *self.ran.entry(key.clone()).or_default() |= !skipped;
        let listed = self
            .failures
            .iter()
            .position(|failure| failure.test == test && failure.case.matches(&case.name));
        let Some(index) = listed.filter(|_| !skipped) else {
            return case;
        };

        self.used.insert(index);
        let failed = matches!(case.outcome, Outcome::Fail(_));
        *self.failed.entry(key).or_default() |= failed;
        match failed {
            true => Case::pass(case.name),
            false => case,
        }
    }

    /// What can be said only when all hosts have been seen. Each deviation that can be seen must
    /// have a test that fails because of it.
    pub fn finish(&self, deviations: &[Deviation]) -> Vec<Case> {
        let untested = deviations
            .iter()
            .filter(|deviation| deviation.unseen.is_none())
            .filter(|deviation| {
                let mut tested = self.failures.iter().map(|failure| &failure.deviation);
                !tested.any(|name| *name == deviation.name)
            })
            .map(|deviation| Case::fail(&deviation.name, "no selftest fails because of it"));

        let passed = self.failed.iter().filter(|(_, failed)| !**failed);
        let passed = passed.map(|((test, case), _)| {
            let name = format!("{test}/{case}");
            Case::fail(name, "was to fail, but passed on every host")
        });
        let unused = self.failures.iter().enumerate();
        let unused = unused.filter(|(index, _)| !self.used.contains(index));
        let unused = unused.map(|(_, Failure { test, case, .. })| {
            let name = format!("{test}/{case}");
            Case::fail(name, "was to fail, but no host ran such a case")
        });
        or_pass(untested.chain(passed).chain(unused), "what was to fail did")
    }

    /// Cases that no host has run: tests of nothing.
    pub fn never_ran(&self) -> Vec<Case> {
        let never = self.ran.iter().filter(|(_, ran)| !**ran);
        let never = never.map(|((test, case), _)| {
            Case::fail(format!("{test}/{case}"), "was skipped on every host")
        });
        or_pass(never, "every case ran somewhere")
    }
}

fn or_pass(failures: impl Iterator<Item = Case>, name: &str) -> Vec<Case> {
    let failures: Vec<Case> = failures.collect();
    match failures.is_empty() {
        true => vec![Case::pass(name)],
        false => failures,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deviations;

    const FILE: &str = "\
        [[failure]]\n\
        deviation = 'D1'\n\
        test = 'a'\n\
        cases = ['x*', 'y']\n";

    fn failing(cases: &[Case]) -> Vec<&str> {
        cases
            .iter()
            .filter(|case| matches!(case.outcome, Outcome::Fail(_)))
            .map(|case| case.name.as_str())
            .collect()
    }

    #[test]
    fn an_expected_failure_is_none() {
        let mut expected = Expected::parse(FILE).unwrap();
        let cases = vec![
            Case::fail("x1", ""),
            Case::fail("y", ""),
            Case::fail("z", ""),
        ];
        assert_eq!(failing(&expected.judge("a", cases.clone())), ["z"]);
        assert_eq!(failing(&expected.judge("b", cases)), ["x1", "y", "z"]);
        assert!(failing(&expected.finish(&[])).is_empty());
    }

    #[test]
    fn a_listed_case_must_fail_somewhere() {
        let mut expected = Expected::parse(FILE).unwrap();
        expected.judge("a", vec![Case::pass("x1"), Case::pass("x2")]);
        expected.judge("a", vec![Case::fail("x1", ""), Case::skip("y", "")]);
        assert_eq!(failing(&expected.finish(&[])), ["a/x2", "a/y"]);
    }

    #[test]
    fn a_case_must_run_somewhere() {
        let mut expected = Expected::nothing();
        expected.judge("a", vec![Case::skip("x", ""), Case::skip("y", "")]);
        expected.judge("a", vec![Case::pass("x"), Case::skip("y", "")]);
        assert_eq!(failing(&expected.never_ran()), ["a/y"]);
    }

    #[test]
    fn our_list_is_about_the_deviations_that_are_meant() {
        let expected = Expected::with_c(&Project::here()).unwrap();
        let deviations = deviations::load(&Project::here()).unwrap();
        for failure in &expected.failures {
            assert!(deviations.iter().any(|d| d.name == failure.deviation));
        }
        let mut nothing = Expected::nothing();
        nothing.judge("a", vec![]);
        assert_eq!(failing(&nothing.finish(&deviations)).len(), 7);
    }
}
