// SPDX-License-Identifier: GPL-2.0

//! Kernels that look for mistakes while they run, and such that are built otherwise: our selftests,
//! the moves of the sample VMM and all mistakes of `lab run`, on hosts of several kinds. Whatever a
//! kernel complains of is a failure.

mod races;

use std::collections::BTreeMap;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::ask::journey;
use crate::base::kernel::{Kernel, Variant};
use crate::base::project::Project;
use crate::build::{kernel, Built};
use crate::get::Toolchain;
use crate::judge::laws;
use crate::model::hosts::{self, Host};
use crate::model::moves::Moves;
use crate::model::results::{Case, Groups};
use crate::verify::boots::{cases_or_failure, Boots, Plan};
use crate::verify::{differential, selftests};

/// The command that looks for memory that nobody can free any more.
const LEAKS: &str = "leaks";

/// kmemleak takes no interest in what is younger than 5 s. A second look tells what it was wrong in.
const LOOK: &str = "sleep 6; cd /sys/kernel/debug; echo scan >kmemleak; echo scan >kmemleak; \
                    cat kmemleak";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    hosts: Vec<String>,
    check: Option<String>,
    #[serde(default)]
    races: Vec<String>,
    #[serde(default)]
    vectors: Vec<String>,
}

/// `lab/data/sanitize.toml`.
fn load() -> Result<BTreeMap<Variant, Work>> {
    let text = include_str!("../../data/sanitize.toml");
    toml::from_str(text).context("lab/data/sanitize.toml")
}

/// The kernels and hosts of `lab check`.
fn of_check() -> Result<Vec<(Variant, String)>> {
    let work = load()?.into_iter();
    let chosen = work.filter_map(|(variant, work)| Some((variant, work.check?)));
    Ok(chosen.collect())
}

pub fn plan(project: &Project, tools: &Toolchain, plan: &mut Plan) -> Result<()> {
    for (variant, host) in of_check()? {
        kernel::ensure_one(project, tools, &project.tree(), variant)?;
        plan_on(project, plan, &host, variant)?;
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let hosts = of_check()?.into_iter();
    let groups = hosts.map(|(variant, host)| judge_on(project, boots, &host, variant));
    Ok(groups.flatten().collect())
}

/// All kernels, or those that are asked for, one after the other. Races take that many seconds.
pub fn run(project: &Project, built: &Built, only: &[Variant], seconds: u64) -> Result<Groups> {
    let all = hosts::load(project)?;
    let mut work = load()?;
    work.retain(|variant, _| only.is_empty() || only.contains(variant));

    let mut groups = Groups::new();
    for (variant, work) in work {
        kernel::ensure_one(project, &built.tools, &project.tree(), variant)?;
        let mut plan = Plan::default();
        for host in &work.hosts {
            plan_on(project, &mut plan, host, variant)?;
        }
        for host in &work.races {
            races::plan_on(project, &mut plan, host, variant, seconds)?;
        }
        for host in &work.vectors {
            differential::plan_with(project, &mut plan, host, variant)?;
        }
        let boots = plan.boot(project, &all)?;
        for host in &work.hosts {
            groups.extend(judge_on(project, &boots, host, variant));
        }
        for host in &work.races {
            groups.extend(races::judge_on(&boots, host, variant));
        }
        for host in &work.vectors {
            let vectors = differential::judge_with(&boots, host, variant);
            groups.push((format!("vectors/{}", variant.name()), vec![vectors]));
        }
        let moves = moves(project, built, &all, variant, &work.hosts);
        let moves = Case::from_result("laws and mistakes", moves);
        groups.push((format!("moves/{}", variant.name()), vec![moves]));
    }
    Ok(groups)
}

fn plan_on(project: &Project, plan: &mut Plan, host: &str, variant: Variant) -> Result<()> {
    selftests::plan_on(project, plan, host, variant)?;
    if variant == Variant::Kasan {
        plan.job(host, variant).command(LEAKS, 60, LOOK);
    }
    Ok(())
}

fn judge_on(project: &Project, boots: &Boots, host: &str, variant: Variant) -> Groups {
    match selftests::results(project, boots, host, variant) {
        Ok(results) => {
            let groups = results.into_iter().map(|(place, _, cases)| (place, cases));
            let mut groups: Groups = groups.collect();
            if variant == Variant::Kasan {
                let leaks = Case::from_result("no leak", leaks(boots, host, variant));
                groups.push((format!("{host}/{}", variant.name()), vec![leaks]));
            }
            groups
        }
        Err(error) => vec![(
            format!("{host}/{}", variant.name()),
            cases_or_failure(Err(error)),
        )],
    }
}

/// That something leaks is a complaint already. That it was not looked for is one here.
fn leaks(boots: &Boots, host: &str, variant: Variant) -> Result<()> {
    let section = boots.transcript(host, variant)?.section(LEAKS)?;
    ensure!(
        section.status == 0 && section.output.trim().is_empty(),
        "kmemleak: status {}\n{}",
        section.status,
        section.output
    );
    Ok(())
}

/// Moves VMs between the hosts, with that kernel on each, and has their VMMs make every mistake.
fn moves(
    project: &Project,
    built: &Built,
    all: &[Host],
    variant: Variant,
    names: &[String],
) -> Result<()> {
    let hosts = names.iter().map(|name| {
        Ok(Host {
            kernel: Kernel::Variant(variant),
            ..hosts::find(all, name)?.clone()
        })
    });
    let heard = journey::measure(project, built, hosts.collect::<Result<_>>()?)?;
    let matrix = heard.matrix()?;
    laws::check(&heard, &Moves::new(&matrix)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_the_project_is_valid() {
        let all = hosts::load(&Project::here()).unwrap();
        let work = load().unwrap();
        for work in work.values() {
            for host in [&work.hosts[..], &work.races, &work.vectors]
                .concat()
                .iter()
                .chain(&work.check)
            {
                hosts::find(&all, host).unwrap();
            }
        }
        assert!(work[&Variant::Kasan].hosts.len() >= 3);
        assert!(!of_check().unwrap().is_empty());
    }
}
