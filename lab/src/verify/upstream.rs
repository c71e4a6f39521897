// SPDX-License-Identifier: GPL-2.0

//! The kernel's own KVM selftests: replacing the handlers must not change what any of them says.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::ask::ktap;
use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::base::version::Version;
use crate::boot::console::Section;
use crate::get::source::version_of;
use crate::model::results::{Case, Groups, Outcome};
use crate::verify::boots::{cases_or_failure, command_name, program, selftest, Boots, Plan};

const SUITE: &str = "upstream";

/// `lab/data/upstream-tests.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// How long one program may take.
    seconds: u64,
    hosts: Vec<String>,
    tests: Vec<String>,
    /// Those that came with a later kernel than the oldest that is supported.
    since: BTreeMap<Version, Vec<String>>,
    /// By host: those on hosts with other kinds of VM.
    others: BTreeMap<String, Vec<String>>,
}

impl File {
    /// The hosts, each with its tests.
    fn work(&self) -> impl Iterator<Item = (&String, &[String])> {
        let hosts = self.hosts.iter().map(|host| (host, &self.tests[..]));
        hosts.chain(self.others.iter().map(|(host, tests)| (host, &tests[..])))
    }
}

fn parse() -> Result<File> {
    let text = include_str!("../../data/upstream-tests.toml");
    toml::from_str(text).context("lab/data/upstream-tests.toml")
}

/// What is run on the kernel of the tree.
fn load(project: &Project) -> Result<File> {
    let mut file = parse()?;
    let version = version_of(&project.tree()).context("no kernel tree")?;
    for (since, tests) in &file.since {
        if version >= *since {
            file.tests.extend_from_slice(tests);
        }
    }
    Ok(file)
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    let file = load(project)?;
    for (host, tests) in file.work() {
        for handlers in Handlers::ALL {
            for test in tests {
                let job = plan.job(host, handlers);
                selftest(project, job, SUITE, test, file.seconds)?;
            }
        }
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let file = load(project)?;
    let groups = file.work().map(|(host, tests)| {
        let cases = cases_or_failure(compare_on(boots, host, tests));
        (host.clone(), cases)
    });
    Ok(groups.collect())
}

fn compare_on(boots: &Boots, host: &str, tests: &[String]) -> Result<Vec<Case>> {
    let c = boots.transcript(host, Handlers::C)?;
    let rust = boots.transcript(host, Handlers::Rust)?;
    let cases = tests.iter().map(|test| {
        let name = command_name(SUITE, test);
        Ok(compare(
            program(test),
            c.section(&name)?,
            rust.section(&name)?,
        ))
    });
    cases.collect()
}

/// One result out of two runs.
fn compare(test: &str, c: &Section, rust: &Section) -> Case {
    let (c_verdict, rust_verdict) = (verdict(c), verdict(rust));
    if c_verdict != rust_verdict {
        return Case::fail(
            test,
            format!(
                "with the C handlers: {c_verdict}\n{}\nwith the Rust handlers: {rust_verdict}\n{}",
                c.output, rust.output
            ),
        );
    }
    match c.status {
        0 => Case::pass(test),
        4 => Case::skip(test, skip_reason(&rust.output)),
        status => Case::fail(
            test,
            format!("status {status} with both kernels\n{}", rust.output),
        ),
    }
}

/// All that must be the same with both kernels: the exit status, and names and results where the
/// program says any.
fn verdict(section: &Section) -> String {
    let mut words = vec![format!("status {}", section.status)];
    let cases = ktap::parse(&section.output).cases;
    words.extend(cases.iter().map(|case| {
        let outcome = match case.outcome {
            Outcome::Pass => "passed",
            Outcome::Fail(_) => "failed",
            Outcome::Skip(_) => "skipped",
        };
        format!("{} {outcome}", case.name)
    }));
    words.join(", ")
}

fn skip_reason(output: &str) -> &str {
    output
        .lines()
        .find_map(|line| line.split_once("SKIP").map(|(_, reason)| reason))
        .map_or("no reason given", |reason| reason.trim_matches([' ', '-']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(status: i32, output: &str) -> Section {
        Section {
            name: "test".to_owned(),
            status,
            output: output.to_owned(),
        }
    }

    fn outcome(c: (i32, &str), rust: (i32, &str)) -> char {
        match compare("test", &section(c.0, c.1), &section(rust.0, rust.1)).outcome {
            Outcome::Pass => 'p',
            Outcome::Fail(_) => 'f',
            Outcome::Skip(_) => 's',
        }
    }

    #[test]
    fn both_must_say_the_same() {
        let two = "TAP version 13\n1..2\nok 1 a\nok 2 b\n";
        let one_skipped = "TAP version 13\n1..2\nok 1 a\nok 2 b # SKIP no\n";
        let one = "TAP version 13\n1..1\nok 1 a\n";
        let early = "1..0 # SKIP - no SVE\n";
        let cases = [
            ((0, ""), (0, ""), 'p'),
            ((0, "seed 1"), (0, "seed 2"), 'p'),
            ((0, two), (0, two), 'p'),
            ((0, two), (0, one_skipped), 'f'),
            ((0, two), (0, one), 'f'),
            ((0, two), (0, ""), 'f'),
            ((4, early), (4, early), 's'),
            ((0, ""), (4, early), 'f'),
            ((4, early), (0, ""), 'f'),
            ((0, ""), (1, ""), 'f'),
            ((254, ""), (254, ""), 'f'),
        ];
        for (c, rust, expected) in cases {
            assert_eq!(outcome(c, rust), expected, "{c:?} {rust:?}");
        }
    }

    #[test]
    fn the_reason_of_a_skip_is_found() {
        assert_eq!(skip_reason("x\n1..0 # SKIP - no SVE\n"), "no SVE");
        assert_eq!(skip_reason("x"), "no reason given");
    }

    #[test]
    fn the_file_of_the_project_is_valid() {
        let hosts = crate::model::hosts::load(&Project::here()).unwrap();
        let file = parse().unwrap();
        assert!(!file.hosts.is_empty());
        for (host, tests) in file.work() {
            assert!(!tests.is_empty());
            crate::model::hosts::find(&hosts, host).unwrap();
        }
    }
}
