// SPDX-License-Identifier: GPL-2.0

//! The same vectors three times. Default VMs must be answered as by the C handlers, without any
//! difference; strict VMs as default ones but for what is meant, and what is meant must occur.

use anyhow::{ensure, Context, Result};

use crate::base::kernel::{Handlers, Kernel, Variant};
use crate::base::project::Project;
use crate::boot::console::tail;
use crate::model::results::{Case, Groups};
use crate::model::vectors::{compare, Difference, Vectors};
use crate::model::{deviations, hosts, registers};
use crate::verify::boots::{command_name, selftest, Boots, Plan};

/// A selftest that is half of a comparison.
pub const TEST: &str = "arm64/fw_regs_vectors";

const SECONDS: u64 = 240;

/// How many differences of a host are shown.
const SHOWN: usize = 40;

/// Random vectors per setup, beside those that the program always has: 100,000 on a host without
/// SSBS, which has four setups, and twice as many on one with it.
const RANDOM: u32 = 25_000;

/// Whose answers are compared: who they are, the kernel, and an option of the program.
type Side = (&'static str, Kernel, &'static str);

const C: Side = ("C handlers", Kernel::Ours(Handlers::C), "");
const DEFAULT: Side = ("default VM", Kernel::Ours(Handlers::Rust), "");
const STRICT: Side = ("strict VM", Kernel::Ours(Handlers::Rust), "-s");

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        plan_on(project, plan, &host.name, &[C, DEFAULT, STRICT])?;
    }
    Ok(())
}

/// A default VM of another kernel, against the C handlers.
pub fn plan_with(project: &Project, plan: &mut Plan, host: &str, variant: Variant) -> Result<()> {
    plan_on(project, plan, host, &[C, with(variant)])
}

fn with(variant: Variant) -> Side {
    ("default VM", variant.into(), "")
}

fn plan_on(project: &Project, plan: &mut Plan, host: &str, sides: &[Side]) -> Result<()> {
    for (_, kernel, option) in sides {
        let test = format!("{TEST} -n {RANDOM} {option}");
        let job = plan.job(host, *kernel);
        selftest(project, job, &format!("diff{option}"), &test, SECONDS)?;
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let mut deviations = deviations::load(project)?;
    let mut groups = Groups::new();
    let mut strict = Vec::new();
    for host in hosts::with_selftests(project)? {
        let name = &host.name;
        // A line for each host.
        let case = none(boots, name, [C, DEFAULT]);
        groups.push(("C against default".to_owned(), vec![case]));
        let meant = |difference: &_| deviations::is_meant(&mut deviations, name, difference);
        let result = unexpected(boots, name, [DEFAULT, STRICT], meant);
        strict.push(Case::from_result(name, result.map(drop)));
    }
    groups.push(("default against strict".to_owned(), strict));
    for deviation in deviations {
        let description = &deviation.description;
        let case = match deviation.summary() {
            Ok(seen) => Case::pass(format!("{description} ({seen})")),
            Err(cause) => Case::fail(description, cause.to_string()),
        };
        groups.push((deviation.name, vec![case]));
    }
    Ok(groups)
}

pub fn judge_with(boots: &Boots, host: &str, variant: Variant) -> Case {
    none(boots, host, [C, with(variant)])
}

/// The two sides answer alike.
fn none(boots: &Boots, host: &str, sides: [Side; 2]) -> Case {
    match unexpected(boots, host, sides, |_| false) {
        Ok(total) => Case::pass(format!("{host}: 0 differences in {total} vectors")),
        Err(error) => Case::fail(host, format!("{error:#}")),
    }
}

/// Whether the two sides answer differently only where that is meant. Returns how many vectors
/// there are.
fn unexpected(
    boots: &Boots,
    host: &str,
    sides: [Side; 2],
    mut is_meant: impl FnMut(&Difference) -> bool,
) -> Result<u64> {
    let [a, b] = sides.map(|side| vectors(boots, host, side));
    let (a, b) = (a?, b?);
    let mut differences = compare(&a, &b)?;
    differences.retain(|difference| !is_meant(difference));
    ensure!(
        differences.is_empty(),
        "{}",
        describe(sides, a.total, &differences)
    );
    Ok(a.total)
}

fn vectors(boots: &Boots, host: &str, (title, kernel, option): Side) -> Result<Vectors> {
    let transcript = boots.transcript(host, kernel)?;
    let section = transcript.section(&command_name(&format!("diff{option}"), TEST))?;
    ensure!(
        section.status == 0,
        "{TEST}, {title}, ended with status {}:\n{}",
        section.status,
        tail(&section.output)
    );
    Vectors::parse(&section.output).with_context(|| format!("{TEST}, {title}"))
}

fn describe(sides: [Side; 2], total: u64, differences: &[Difference]) -> String {
    let count = differences.len();
    let mut text = format!("{count} unexpected differences among {total} vectors\n");
    for difference in differences.iter().take(SHOWN) {
        text += &format!(
            "{} {}, {} vectors from {}, the first sets {:#x}\n",
            difference.setup,
            registers::name(difference.id),
            difference.count,
            difference.index,
            difference.first
        );
        for ((title, ..), answer) in sides.iter().zip(&difference.answers) {
            text += &format!("    {title}: {answer}\n");
        }
    }
    if count > SHOWN {
        text += &format!("and {} more\n", count - SHOWN);
    }
    text
}
