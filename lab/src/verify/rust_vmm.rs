// SPDX-License-Identifier: GPL-2.0

//! rust-vmm, by which Firecracker and cloud-hypervisor talk to KVM: the tests of its crate
//! `kvm-ioctls` say the same with both kernels, and VMs move through it (`lab/rust-vmm`).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::ask::libtest;
use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::boot::console::{Section, Transcript};
use crate::build::{rust_vmm, Built};
use crate::model::results::{Case, Groups, Outcome};
use crate::verify::boots::{cases_or_failure, Boots, Plan};

/// `lab/data/rust-vmm.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    seconds: u64,
    hosts: BTreeMap<String, Failing>,
}

/// Why a test of the crate fails.
type Failing = BTreeMap<String, String>;

/// The crate's own tests, as a command.
const OWN: &str = "rust-vmm:own";

/// More than one, so that a result is written as a line, and not in two parts.
const THREADS: &str = "--test-threads=2";

fn load() -> Result<File> {
    let text = include_str!("../../data/rust-vmm.toml");
    toml::from_str(text).context("lab/data/rust-vmm.toml")
}

/// Which of our tests a kernel is for.
fn parts(handlers: Handlers) -> [&'static str; 2] {
    match handlers {
        Handlers::C => ["default", "without"],
        Handlers::Rust => ["default", "strict"],
    }
}

fn command_name(part: &str) -> String {
    format!("rust-vmm:{part}")
}

pub fn plan(project: &Project, built: &Built, plan: &mut Plan) -> Result<()> {
    let programs = rust_vmm::ensure(project, &built.tools)?;
    let File { seconds, hosts, .. } = load()?;
    for host in hosts.keys() {
        for handlers in Handlers::ALL {
            let job = plan.job(host, handlers);
            job.program("rust-vmm/own", &programs.own);
            job.program("rust-vmm/moves", &programs.moves);
            job.command(OWN, seconds, format!("/rust-vmm/own {THREADS}"));
            for part in parts(handlers) {
                let line = format!("/rust-vmm/moves {part}:: {THREADS}");
                job.command(command_name(part), seconds, line);
            }
        }
    }
    Ok(())
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    for (host, failing) in &load()?.hosts {
        let transcript = |handlers| boots.transcript(host, handlers);
        let own = |handlers| transcript(handlers)?.section(OWN);
        let compared = own(Handlers::C).and_then(|c| Ok(compare(c, own(Handlers::Rust)?, failing)));
        groups.push((format!("{host}/kvm-ioctls"), cases_or_failure(compared)));
        for handlers in Handlers::ALL {
            let cases = transcript(handlers).and_then(|it| moves(it, handlers));
            groups.push((
                format!("{host}/{}", handlers.name()),
                cases_or_failure(cases),
            ));
        }
    }
    Ok(groups)
}

/// What our tests said on a host.
fn moves(transcript: &Transcript, handlers: Handlers) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for part in parts(handlers) {
        let section = transcript.section(&command_name(part))?;
        cases.extend(libtest::program(section.status, &section.output));
    }
    Ok(cases)
}

/// One result for each test, out of two runs.
fn compare(c: &Section, rust: &Section, failing: &Failing) -> Vec<Case> {
    let outcomes = |section: &Section| {
        let cases = libtest::program(section.status, &section.output);
        let outcomes = cases.into_iter().map(|case| (case.name, case.outcome));
        outcomes.collect::<BTreeMap<String, Outcome>>()
    };
    let (c, rust) = (outcomes(c), outcomes(rust));
    let names: BTreeSet<&String> = c.keys().chain(rust.keys()).chain(failing.keys()).collect();
    let compare = |name: &String| {
        let outcome = match (c.get(name), rust.get(name), failing.get(name)) {
            (Some(Outcome::Pass), Some(Outcome::Pass), None) => Outcome::Pass,
            (Some(Outcome::Skip(_)), Some(Outcome::Skip(reason)), None) => {
                Outcome::Skip(reason.clone())
            }
            (Some(Outcome::Fail(_)), Some(Outcome::Fail(_)), Some(why)) => {
                Outcome::Skip(format!("fails with both kernels: {why}"))
            }
            (c, rust, known) => {
                let advice = match known {
                    Some(_) => "; lab/data/rust-vmm.toml says that it fails with both",
                    None => "",
                };
                let (c, rust) = (told(c), told(rust));
                Outcome::Fail(format!(
                    "with the C handlers it {c}\nwith the Rust handlers it {rust}{advice}"
                ))
            }
        };
        Case::new(name, outcome)
    };
    names.into_iter().map(compare).collect()
}

fn told(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Outcome::Pass) => "passed".to_owned(),
        Some(Outcome::Fail(cause)) => format!("failed: {cause}"),
        Some(Outcome::Skip(reason)) => format!("was skipped: {reason}"),
        None => "was not run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::boots::testing::{failures, transcript};

    fn section(results: &str) -> Section {
        let lines = results.split_whitespace();
        let tests = lines.map(|line| line.split_once('=').unwrap());
        let tests: Vec<String> = tests.map(|(a, b)| format!("test {a} ... {b}\n")).collect();
        let (count, failed) = (tests.len(), results.contains("FAILED"));
        Section {
            name: OWN.to_owned(),
            status: if failed { 101 } else { 0 },
            output: format!("running {count} tests\n{}", tests.concat()),
        }
    }

    fn outcomes(c: &str, rust: &str, known: &[&str]) -> String {
        let why = |name: &&str| ((*name).to_owned(), "no PMU".to_owned());
        let known = known.iter().map(why).collect();
        let cases = compare(&section(c), &section(rust), &known);
        let letter = |case: &Case| match case.outcome {
            Outcome::Pass => 'p',
            Outcome::Fail(_) => 'f',
            Outcome::Skip(_) => 's',
        };
        cases.iter().map(letter).collect()
    }

    #[test]
    fn both_must_say_the_same_and_fail_only_where_that_is_known() {
        let cases: [(&str, &str, &[&str], &str); 9] = [
            ("a=ok b=ok", "a=ok b=ok", &[], "pp"),
            ("a=ok b=FAILED", "a=ok b=FAILED", &["b"], "ps"),
            ("a=ok b=FAILED", "a=ok b=FAILED", &[], "pf"),
            ("a=ok b=ok", "a=ok b=ok", &["b"], "pf"),
            ("a=ok b=ok", "a=ok b=FAILED", &[], "pf"),
            ("a=ok b=FAILED", "a=ok b=ok", &["b"], "pf"),
            ("a=ok b=ok", "a=ok", &[], "pf"),
            ("a=ok", "a=ok", &["b"], "pf"),
            ("a=ok b=ignored", "a=ok b=ignored", &[], "ps"),
        ];
        for (c, rust, known, expected) in cases {
            assert_eq!(outcomes(c, rust, known), expected, "{c} {rust} {known:?}");
        }
        assert_eq!(outcomes("", "", &[]), "f");
    }

    #[test]
    fn each_kernel_needs_results_of_all_its_parts() {
        let good = "running 1 test\ntest default::a ... ok\n";
        let sections = [
            ("rust-vmm:default", good),
            ("rust-vmm:strict", "running 0 tests\n"),
        ];
        let transcript = transcript(&sections);
        let cases = moves(&transcript, Handlers::Rust).unwrap();
        assert_eq!(failures(&cases).len(), 1);
        assert!(moves(&transcript, Handlers::C).is_err());
    }

    #[test]
    fn the_file_of_the_project_is_valid() {
        let hosts = crate::model::hosts::load(&Project::here()).unwrap();
        let file = load().unwrap();
        assert!(!file.hosts.is_empty());
        for host in file.hosts.keys() {
            crate::model::hosts::find(&hosts, host).unwrap();
        }
    }
}
