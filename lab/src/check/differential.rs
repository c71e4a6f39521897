// SPDX-License-Identifier: GPL-2.0

//! The same vectors on both kernels: the answers must be the same but for what is meant,
//! and what is meant must occur.

use std::fmt::Write;

use anyhow::{ensure, Context, Result};

use super::plan::{command_name, selftest, Boots, Plan};
use super::selftests::VECTORS;
use super::Groups;
use crate::deviations::{self, Deviation, Sightings};
use crate::hosts;
use crate::project::{Handlers, Project};
use crate::registers;
use crate::results::{Case, Outcome};
use crate::vectors::{compare, Difference, Vectors};

const SUITE: &str = "diff";
const SECONDS: u64 = 240;

/// How many differences of a host are shown.
const SHOWN: usize = 40;

/// Random vectors per setup, beside those that the program always has: 100,000 on a host without
/// SSBS, which has four setups, and twice as many on one with it.
const RANDOM: u32 = 25_000;

fn test() -> String {
    format!("arm64/{VECTORS} -n {RANDOM}")
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        for handlers in Handlers::ALL {
            let job = plan.job(&host.name, handlers);
            selftest(project, job, SUITE, &test(), SECONDS)?;
        }
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let deviations = deviations::load(project)?;
    let mut sightings = Sightings::new(&deviations);
    let cases = hosts::with_selftests(project)?
        .iter()
        .map(|host| {
            let outcome = judge_host(&host.name, boots, &mut sightings)
                .unwrap_or_else(|error| Outcome::Fail(format!("{error:#}")));
            Case::new(&host.name, outcome)
        })
        .collect();

    let mut groups = vec![(String::new(), cases)];
    for (deviation, summary) in sightings.summary() {
        let Deviation {
            name, description, ..
        } = deviation;
        let case = match summary {
            Ok(seen) => Case::pass(format!("{description} ({seen})")),
            Err(cause) => Case::fail(description, cause),
        };
        groups.push((name.clone(), vec![case]));
    }
    Ok(groups)
}

fn judge_host(host: &str, boots: &Boots, sightings: &mut Sightings<'_>) -> Result<Outcome> {
    let c = vectors(host, Handlers::C, boots)?;
    let rust = vectors(host, Handlers::Rust, boots)?;
    let differences = compare(&c, &rust)?;
    let unexpected = sightings.judge(host, &differences);
    if unexpected.is_empty() {
        return Ok(Outcome::Pass);
    }

    let mut cause = format!(
        "{} unexpected differences among {} vectors\n",
        unexpected.len(),
        c.total
    );
    for difference in unexpected.iter().take(SHOWN) {
        cause += &describe(difference);
    }
    if unexpected.len() > SHOWN {
        writeln!(cause, "and {} more", unexpected.len() - SHOWN)?;
    }
    Ok(Outcome::Fail(cause))
}

fn vectors(host: &str, handlers: Handlers, boots: &Boots) -> Result<Vectors> {
    let section = boots.section(host, handlers, &command_name(SUITE, &test()))?;
    ensure!(
        section.status == 0,
        "{VECTORS} with the {} kernel ended with status {}:\n{}",
        handlers.name(),
        section.status,
        crate::console::tail(&section.output)
    );
    Vectors::parse(&section.output)
        .with_context(|| format!("{VECTORS} with the {} kernel", handlers.name()))
}

fn describe(difference: &Difference) -> String {
    let Difference {
        setup,
        id,
        index,
        count,
        first,
        c,
        rust,
    } = difference;
    format!(
        "{setup} {}, {count} vectors from {index}, the first sets {first:#x}\n    \
         C:    {c}\n    Rust: {rust}\n",
        registers::name(*id)
    )
}
