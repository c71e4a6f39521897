// SPDX-License-Identifier: GPL-2.0

//! The same vectors three times. Default VMs must be answered as by the C handlers, without any
//! difference; strict VMs as default ones but for what is meant, and what is meant must occur.

use std::fmt::Write;

use anyhow::{ensure, Context, Result};

use super::selftests::VECTORS;
use crate::base::project::{Handlers, Project};
use crate::model::deviations::{self, Deviation, Sightings};
use crate::model::hosts;
use crate::model::registers;
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::model::vectors::{compare, Difference, Vectors};
use crate::verify::boots::{command_name, selftest, Boots, Plan};

const SECONDS: u64 = 240;

/// How many differences of a host are shown.
const SHOWN: usize = 40;

/// Random vectors per setup, beside those that the program always has: 100,000 on a host without
/// SSBS, which has four setups, and twice as many on one with it.
const RANDOM: u32 = 25_000;

/// Whose answers are compared.
#[derive(Debug, Clone, Copy)]
enum Side {
    C,
    Default,
    Strict,
}

impl Side {
    const ALL: [Self; 3] = [Self::C, Self::Default, Self::Strict];

    fn handlers(self) -> Handlers {
        match self {
            Self::C => Handlers::C,
            Self::Default | Self::Strict => Handlers::Rust,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::C => "C handlers",
            Self::Default => "default VM",
            Self::Strict => "strict VM",
        }
    }

    /// What the names of its commands begin with.
    fn suite(self) -> &'static str {
        match self {
            Self::C | Self::Default => "diff",
            Self::Strict => "diff-strict",
        }
    }

    fn test(self) -> String {
        let option = match self {
            Self::C | Self::Default => "",
            Self::Strict => " -s",
        };
        format!("arm64/{VECTORS} -n {RANDOM}{option}")
    }
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        for side in Side::ALL {
            let job = plan.job(&host.name, side.handlers());
            selftest(project, job, side.suite(), &side.test(), SECONDS)?;
        }
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let deviations = deviations::load(project)?;
    let mut sightings = Sightings::new(&deviations);
    let mut groups = Groups::new();
    let mut strict = Vec::new();
    for host in hosts::with_selftests(project)? {
        let name = &host.name;
        // A line for each host.
        let case = match equal(name, boots) {
            Ok(total) => Case::pass(format!("{name}: 0 differences in {total} vectors")),
            Err(error) => Case::fail(name, format!("{error:#}")),
        };
        groups.push(("C against default".to_owned(), vec![case]));
        strict.push(Case::from_result(
            name,
            as_meant(name, boots, &mut sightings),
        ));
    }
    groups.push(("default against strict".to_owned(), strict));
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

/// Whether a default VM is answered as by the C handlers. Returns to how many vectors.
fn equal(host: &str, boots: &Boots) -> Result<u64> {
    let sides = [Side::C, Side::Default];
    let (total, differences) = differences(host, boots, sides)?;
    let all: Vec<&Difference> = differences.iter().collect();
    ensure!(all.is_empty(), "{}", describe(sides, total, &all)?);
    Ok(total)
}

/// Whether a strict VM is answered otherwise only where that is meant.
fn as_meant(host: &str, boots: &Boots, sightings: &mut Sightings<'_>) -> Result<()> {
    let sides = [Side::Default, Side::Strict];
    let (total, differences) = differences(host, boots, sides)?;
    let unexpected = sightings.judge(host, &differences);
    let told = describe(sides, total, &unexpected)?;
    ensure!(unexpected.is_empty(), "{told}");
    Ok(())
}

/// How many vectors there are, and those that are answered differently.
fn differences(host: &str, boots: &Boots, [a, b]: [Side; 2]) -> Result<(u64, Vec<Difference>)> {
    let (a, b) = (vectors(host, a, boots)?, vectors(host, b, boots)?);
    Ok((a.total, compare(&a, &b)?))
}

fn vectors(host: &str, side: Side, boots: &Boots) -> Result<Vectors> {
    let command = command_name(side.suite(), &side.test());
    let section = boots.section(host, side.handlers(), &command)?;
    ensure!(
        section.status == 0,
        "{VECTORS}, {}, ended with status {}:\n{}",
        side.title(),
        section.status,
        crate::boot::console::tail(&section.output)
    );
    Vectors::parse(&section.output).with_context(|| format!("{VECTORS}, {}", side.title()))
}

fn describe(sides: [Side; 2], total: u64, differences: &[&Difference]) -> Result<String> {
    let mut text = format!(
        "{} unexpected differences among {total} vectors\n",
        differences.len()
    );
    for difference in differences.iter().take(SHOWN) {
        let Difference {
            setup,
            id,
            index,
            count,
            first,
            answers,
        } = difference;
        let name = registers::name(*id);
        writeln!(
            text,
            "{setup} {name}, {count} vectors from {index}, the first sets {first:#x}"
        )?;
        for (side, answer) in sides.into_iter().zip(answers) {
            writeln!(text, "    {}: {answer}", side.title())?;
        }
    }
    if differences.len() > SHOWN {
        writeln!(text, "and {} more", differences.len() - SHOWN)?;
    }
    Ok(text)
}
