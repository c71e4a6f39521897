// SPDX-License-Identifier: GPL-2.0

//! Our selftests, on hosts of all kinds, with both kernels: none may fail.

use anyhow::{Context, Result};

use crate::ask::ktap;
use crate::base::project::{Handlers, Project};
use crate::model::hosts;
use crate::model::results::{Case, Groups};
use crate::verify::boots::{command_name, selftest, Boots, Plan};
use crate::verify::ran::Ran;
use crate::verify::{bench, differential};

const SUITE: &str = "selftests";

/// How long one program may take.
const SECONDS: u64 = 120;

/// The programs: one per source, so that none that failed to build can be overlooked.
fn tests(project: &Project) -> Result<Vec<String>> {
    let mut tests = Vec::new();
    for entry in fs_err::read_dir(project.root().join("selftests/kvm/arm64"))? {
        let file = entry?.file_name();
        let file = file.to_str().context("a name that is not text")?;
        if let Some(program) = file.strip_suffix(".c") {
            tests.push(format!("arm64/{program}"));
        }
    }
    // Halves of comparisons, and no tests of their own.
    let costs = format!("arm64/{}", bench::PROGRAM);
    tests.retain(|test| test != differential::TEST && *test != costs);
    tests.sort();
    Ok(tests)
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        for handlers in Handlers::ALL {
            plan_on(project, plan, &host.name, handlers)?;
        }
    }
    Ok(())
}

/// Plans them for one host and kernel.
pub fn plan_on(project: &Project, plan: &mut Plan, host: &str, handlers: Handlers) -> Result<()> {
    for test in tests(project)? {
        let job = plan.job(host, handlers);
        selftest(project, job, SUITE, &test, SECONDS)?;
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let hosts = hosts::with_selftests(project)?;
    let mut groups = Groups::new();
    for handlers in Handlers::ALL {
        let kernel = handlers.name();
        let mut ran = Ran::new(handlers == Handlers::Rust);
        let mut complete = true;
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
                let cases = ran.take(&test, cases);
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
    handlers: Handlers,
) -> Result<Vec<(String, String, Vec<Case>)>> {
    let transcript = boots.transcript(host, handlers)?;
    let mut results = Vec::new();
    for test in tests(project)? {
        let section = transcript.section(&command_name(SUITE, &test))?;
        let cases = ktap::program(section.status, &section.output);
        let place = format!("{host}/{}/{test}", handlers.name());
        let name = test.trim_start_matches("arm64/").to_owned();
        results.push((place, name, cases));
    }
    Ok(results)
}
