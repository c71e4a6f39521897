// SPDX-License-Identifier: GPL-2.0

//! Threads that race for as long as one wants, on CPUs that work at the same time.

use anyhow::{Context, Result};

use crate::ask::ktap;
use crate::base::kernel::Variant;
use crate::base::project::Project;
use crate::model::results::{Case, Groups};
use crate::verify::boots::{cases_or_failure, command_name, selftest, Boots, Plan};

const SUITE: &str = "races";

/// The programs, and how many races each makes, of which each takes its time.
const PROGRAMS: [(&str, u64); 2] = [("arm64/fw_regs_race", 8), ("arm64/fw_regs_race_strict", 6)];

/// All of them.
const RACES: u64 = PROGRAMS[0].1 + PROGRAMS[1].1;

/// What it needs besides, at most: slow machines make a last round.
const MORE: u64 = 300;

pub fn plan_on(
    project: &Project,
    plan: &mut Plan,
    host: &str,
    variant: Variant,
    seconds: u64,
) -> Result<()> {
    let each = seconds.div_ceil(RACES);
    for (program, races) in PROGRAMS {
        let test = format!("{program} -s {each}");
        let job = plan.job(host, variant);
        selftest(project, job, SUITE, &test, each * races + MORE)?;
    }
    Ok(())
}

pub fn judge_on(boots: &Boots, host: &str, variant: Variant) -> Groups {
    let place = format!("{host}/{}/races", variant.name());
    vec![(place, cases_or_failure(cases(boots, host, variant)))]
}

/// What held, and after how many calls.
fn cases(boots: &Boots, host: &str, variant: Variant) -> Result<Vec<Case>> {
    let transcript = boots.transcript(host, variant)?;
    let (mut cases, mut all) = (Vec::new(), 0);
    for (program, _) in PROGRAMS {
        let section = transcript.section(&command_name(SUITE, program))?;
        cases.extend(ktap::program(section.status, &section.output));
        all += calls(&section.output)
            .with_context(|| format!("{program} does not tell how many calls it made"))?;
    }
    cases.push(Case::pass(format!("{all} calls")));
    Ok(cases)
}

fn calls(output: &str) -> Option<u64> {
    let mut lines = output.lines().filter_map(|line| line.strip_prefix("# "));
    lines.find_map(|line| line.strip_suffix(" calls in all")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_tells_its_calls() {
        assert_eq!(calls("ok 1 a\n# 12 calls in all\n"), Some(12));
        assert_eq!(calls("ok 1 a\n# x calls in all\n"), None);
    }
}
