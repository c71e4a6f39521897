// SPDX-License-Identifier: GPL-2.0

//! Our selftests, on hosts of all kinds, with both kernels: none may fail. Cases that no host has
//! run are tests of nothing.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{ensure, Result};

use crate::ask::ktap;
use crate::base::kernel::{Handlers, Kernel, Variant};
use crate::base::project::Project;
use crate::boot::job::Job;
use crate::model::hosts;
use crate::model::results::{Case, Groups, Outcome};
use crate::verify::boots::{command_name, selftest, Boots, Plan};
use crate::verify::{bench, differential};

const SUITE: &str = "selftests";

/// How long one program may take.
const SECONDS: u64 = 120;

/// One that injects faults, for which a kernel has to be built.
const FAULTS: &str = "arm64/fw_regs_fault";

/// The programs: one per source in the tree, so that none that failed to build can be overlooked.
fn tests(project: &Project, kernel: Kernel) -> Result<Vec<String>> {
    let sources = "tools/testing/selftests/kvm/arm64/fw_regs*.c";
    let sources = project.tree().join(sources);
    let mut tests = Vec::new();
    for source in glob::glob(&sources.to_string_lossy())? {
        let program = source?.with_extension("");
        let name = program.file_name().unwrap_or_default();
        tests.push(format!("arm64/{}", name.to_string_lossy()));
    }
    ensure!(!tests.is_empty(), "no selftests: {}", sources.display());
    // Halves of comparisons, and no tests of their own.
    let costs = format!("arm64/{}", bench::PROGRAM);
    tests.retain(|test| test != differential::TEST && *test != costs);
    let injects = kernel == Variant::Kasan.into();
    tests.retain(|test| injects || test != FAULTS);
    Ok(tests)
}

/// Plans them for all hosts, with the kernels that have these handlers.
pub fn plan(project: &Project, plan: &mut Plan, kernels: &[Handlers]) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        for handlers in kernels {
            plan_on(project, plan, &host.name, *handlers)?;
        }
    }
    Ok(())
}

/// Plans them for one host and kernel.
pub fn plan_on(
    project: &Project,
    plan: &mut Plan,
    host: &str,
    kernel: impl Into<Kernel>,
) -> Result<()> {
    let kernel = kernel.into();
    add(project, plan.job(host, kernel), kernel)
}

/// Adds them to a job.
pub fn add(project: &Project, job: &mut Job, kernel: impl Into<Kernel>) -> Result<()> {
    for test in tests(project, kernel.into())? {
        selftest(project, job, SUITE, &test, SECONDS)?;
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots, kernels: &[Handlers]) -> Result<Groups> {
    let hosts = hosts::with_selftests(project)?;
    let mut groups = Groups::new();
    for handlers in kernels.iter().copied() {
        let kernel = handlers.name();
        let mut ran = Ran::default();
        // What one host cannot run, another may.
        let mut complete = project.hosts().is_empty();
        for host in &hosts {
            let results = results(project, boots, &host.name, handlers);
            let results = results.unwrap_or_else(|error| {
                complete = false;
                let failure = Case::fail("boot", format!("{error:#}"));
                let place = format!("{}/{kernel}", host.name);
                vec![(place, String::new(), vec![failure])]
            });
            for (place, test, cases) in results {
                let nothing = cases.is_empty();
                let cases = ran.take(handlers == Handlers::Rust, &test, cases);
                // A test of strict VMs alone is told about at the end.
                if nothing || !cases.is_empty() {
                    groups.push((place, cases));
                }
            }
        }
        if complete {
            groups.push((format!("all-hosts/{kernel}"), ran.finish()));
        }
    }
    Ok(groups)
}

/// What the programs said on one host with one kernel: where, the program's name, and its cases.
pub fn results(
    project: &Project,
    boots: &Boots,
    host: &str,
    kernel: impl Into<Kernel>,
) -> Result<Vec<(String, String, Vec<Case>)>> {
    let kernel = kernel.into();
    let transcript = boots.transcript(host, kernel)?;
    let mut results = Vec::new();
    for test in tests(project, kernel)? {
        let section = transcript.section(&command_name(SUITE, &test))?;
        let cases = ktap::program(section.status, &section.output);
        let place = format!("{host}/{kernel}/{test}");
        let name = test.trim_start_matches("arm64/").to_owned();
        results.push((place, name, cases));
    }
    Ok(results)
}

/// What a case says that is skipped because the kernel has no strict VMs, or no trace event.
const LACKS: [&str; 2] = ["KVM_CAP_ARM_FW_REGS_STRICT", "the kernel has no such event"];

/// What one kernel has run, on all hosts: cases as `test/name`.
#[derive(Default)]
struct Ran {
    ran: BTreeSet<String>,
    /// With whether it was a reason that the C handlers lack something.
    skipped: BTreeMap<String, bool>,
}

impl Ran {
    /// Takes the results of one test on one host. Returns those that are worth telling for each
    /// host. The handlers in Rust lack nothing, and may skip nothing for that.
    fn take(&mut self, in_rust: bool, test: &str, mut cases: Vec<Case>) -> Vec<Case> {
        cases.retain(|Case { name, outcome }| {
            let case = format!("{test}/{name}");
            let Outcome::Skip(reason) = outcome else {
                self.ran.insert(case);
                return true;
            };
            let lacks = !in_rust && LACKS.iter().any(|lack| reason.contains(lack));
            *self.skipped.entry(case).or_default() |= lacks;
            !lacks
        });
        cases
    }

    /// What can be said only when all hosts have been seen: which cases ran nowhere.
    fn finish(self) -> Vec<Case> {
        let mut never = self.skipped;
        never.retain(|case, _| !self.ran.contains(case));
        let lacking = never.values().filter(|lacks| **lacks).count();
        never.retain(|_, lacks| !*lacks);

        let never = never.into_keys();
        let mut cases: Vec<Case> = never
            .map(|case| Case::fail(case, "was skipped on every host"))
            .collect();
        if cases.is_empty() {
            cases.push(Case::pass("every case ran somewhere"));
        }
        if lacking > 0 {
            let name = format!("{lacking} cases");
            cases.push(Case::skip(name, "the C handlers lack what they are about"));
        }
        cases
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(in_rust: bool) -> (Vec<Case>, Vec<Case>) {
        let mut ran = Ran::default();
        let skip = |name, reason: &str| Case::skip(name, reason);
        let cases = ["x", "y", "z"].map(|name| skip(name, "no SSBS"));
        assert_eq!(ran.take(in_rust, "a", cases.to_vec()), cases);
        let strict = format!("Requirement not met: kvm_has_cap({})", LACKS[0]);
        let cases = vec![Case::pass("x"), skip("y", "no SSBS"), skip("z", &strict)];
        (ran.take(in_rust, "a", cases), ran.finish())
    }

    #[test]
    fn a_case_must_run_somewhere() {
        let (told, all) = ran(true);
        assert_eq!(told.len(), 3);
        let never = |name| Case::fail(name, "was skipped on every host");
        assert_eq!(all, [never("a/y"), never("a/z")]);
    }

    #[test]
    fn a_kernel_that_lacks_something_runs_the_others() {
        let (told, all) = ran(false);
        assert_eq!(told.len(), 2);
        let lacking = Case::skip("1 cases", "the C handlers lack what they are about");
        assert_eq!(
            all,
            [Case::fail("a/y", "was skipped on every host"), lacking]
        );
    }
}
