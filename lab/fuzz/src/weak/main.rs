// SPDX-License-Identifier: GPL-2.0

//! Runs all races, and prints what came of them in the Kernel Test Anything Protocol.

use std::process::ExitCode;

use fw_regs_fuzz::weak::groups;

fn main() -> ExitCode {
    let groups = groups();
    let mut good = true;
    println!("KTAP version 1\n1..{}", groups.len());
    for (n, group) in (1..).zip(groups) {
        println!("    KTAP version 1\n    1..{}", group.cases.len());
        let (mut executions, mut group_good) = (0, true);
        for (n, case) in (1..).zip(&group.cases) {
            let outcome = case.run();
            executions += outcome.executions;
            for line in outcome.failure.iter().flat_map(|failure| failure.lines()) {
                println!("    # {line}");
            }
            println!(
                "    {} {n} {}",
                word(outcome.failure.is_none()),
                outcome.name
            );
            group_good &= outcome.failure.is_none();
        }
        println!(
            "{} {n} {}: {executions} executions",
            word(group_good),
            group.name
        );
        good &= group_good;
    }
    match good {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn word(good: bool) -> &'static str {
    match good {
        true => "ok",
        false => "not ok",
    }
}
