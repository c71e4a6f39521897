// SPDX-License-Identifier: GPL-2.0

//! The hosts' EL3 firmware: what `lab/firmware/test` finds in the place of a kernel, and what Linux
//! does.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::base::disk::Lock;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::boot::console::{self, Transcript};
use crate::boot::qemu::{self, firmware::Firmware, Machine};
use crate::model::hosts::{self, FirmwareAnswers, Host};
use crate::model::results::{Case, Groups};
use crate::verify::boots::{cases_or_failure, Boots, Plan};
use crate::verify::kunit;

/// As many as the test has (`lab/firmware/test/test.h`).
const CPUS: u32 = 4;

/// Far more than the test takes, even on a busy machine. It waits for ever for a CPU that does not
/// come.
const LIMIT: Duration = Duration::from_secs(120);

/// CPUs that differ in what EL3 has to set up for them, with answers of each kind.
const RUNS: [(&str, [i32; 3]); 3] = [
    ("a64fx", [0, -2, 1]),
    ("max,pauth-impdef=on", [1, 0, -1]),
    ("cortex-a53", [-1, 1, 0]),
];

/// SMCCC_ARCH_WORKAROUND_1, _2, _3.
const WORKAROUNDS: [u32; 3] = [0x8000_8000, 0x8000_7fff, 0x8000_3fff];

/// What Linux is asked, on each host with the firmware: what of Spectre it thinks is mitigated, and
/// what it says of the firmware.
const SPECTRE_V2: &str = "firmware:spectre-v2";
const SPECTRE_V4: &str = "firmware:spectre-v4";
const LOG: &str = "firmware:log";

/// Where Linux says what it thinks of the CPU.
const CPU: &str = "/sys/devices/system/cpu/vulnerabilities";

fn on_linux(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = hosts::load(project)?;
    hosts.retain(|host| host.firmware.is_some());
    Ok(hosts)
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in on_linux(project)? {
        let job = plan.job(&host.name, host.kernel);
        job.command(SPECTRE_V2, 10, format!("cat {CPU}/spectre_v2"));
        job.command(SPECTRE_V4, 10, format!("cat {CPU}/spec_store_bypass"));
        job.command(LOG, 10, "dmesg | grep -E 'psci: |smp: '");
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    let (_lock, logs) = Lock::first_free(&project.out("log"), "firmware")?;
    let step = Step::counter("testing the firmware", RUNS.len() as u64);
    for (cpu, answers) in RUNS {
        let console = run(project, cpu, answers, &logs);
        let cases = cases_or_failure(console.map(|text| judge_run(&text, answers)));
        groups.push((format!("test/{cpu}"), cases));
        step.inc(1);
    }

    for host in on_linux(project)? {
        let transcript = boots.transcript(&host.name, host.kernel);
        let cases = cases_or_failure(transcript.and_then(|it| judge_linux(&host, it)));
        groups.push((format!("linux/{}", host.name), cases));
    }
    Ok(groups)
}

/// Runs the test until it switches the board off. Returns the console, which is in `logs`, too.
fn run(project: &Project, cpu: &str, answers: [i32; 3], logs: &Path) -> Result<String> {
    let [workaround_1, workaround_2, workaround_3] = answers;
    let (image, kernel) = (project.firmware(), project.firmware_test());
    let machine = Machine {
        qemu: &[qemu::QEMU.into()],
        el2: true,
        threads: false,
        cpu,
        memory: 256,
        cpus: CPUS,
        firmware: Some(Firmware {
            image: &image,
            answers: FirmwareAnswers {
                workaround_1,
                workaround_2,
                workaround_3,
            },
        }),
        kernel: &kernel,
        initrd: None,
        cmdline: "",
        resets: true,
        counts: false,
        limit: LIMIT,
    };
    let log = logs.join(cpu.replace(',', "-") + ".log");
    let ran = machine.run(&log);
    let text = console::clean(&fs_err::read(&log)?);
    ran.with_context(|| format!("its console ends with\n{}", console::tail(&text)))?;
    Ok(text)
}

/// What the test found, and each answer compared with the one that was configured.
fn judge_run(text: &str, answers: [i32; 3]) -> Vec<Case> {
    let mut cases = kunit::cases(text, &[]);
    for ((number, id), answer) in (1..).zip(WORKAROUNDS).zip(answers) {
        let told = format!("# ARCH_FEATURES {id:#x} = ");
        let told = text.lines().find_map(|line| line.strip_prefix(&told));
        let told = told.unwrap_or("nothing");
        let name = format!("WORKAROUND_{number} answers {answer}");
        // x0 is the number with its sign.
        let good = told == format!("{:#x}", i64::from(answer));
        cases.push(Case::good_or(good, name, format!("it answers {told}")));
    }
    cases
}

/// Whether Linux found what the firmware was told to answer.
fn judge_linux(host: &Host, transcript: &Transcript) -> Result<Vec<Case>> {
    let said = |name| transcript.section(name).map(|it| it.output.trim());
    let (log, v2, v4) = (said(LOG)?, said(SPECTRE_V2)?, said(SPECTRE_V4)?);
    let logged = |end: &str| log.lines().any(|line| line.ends_with(end));
    let cpus = match host.cpus {
        1 => "1 CPU".to_owned(),
        cpus => format!("{cpus} CPUs"),
    };
    let [wa1, wa2, _] = host.firmware.context("no firmware")?.all();
    let v2_begins = match wa1 {
        -1 => "Vulnerable",
        _ => "Mitigation: ",
    };
    let v4_begins = match wa2 {
        -1 => "Vulnerable",
        0 => "Mitigation: ",
        _ => "Not affected",
    };
    let brought_up = format!("smp: Brought up 1 node, {cpus}");
    let cases = [
        ("PSCI", logged("psci: PSCIv1.1 detected in firmware."), log),
        ("SMCCC", logged("psci: SMC Calling Convention v1.1"), log),
        ("CPUs", logged(&brought_up), log),
        ("Spectre-v2", v2.starts_with(v2_begins), v2),
        ("Spectre-v4", v4.starts_with(v4_begins), v4),
    ];
    let cases =
        cases.map(|(name, good, found)| Case::good_or(good, name, format!("Linux says\n{found}")));
    Ok(cases.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::boots::testing::{failures, transcript};

    #[test]
    fn each_answer_is_compared() {
        let text = "KTAP version 1\n1..1\n# ARCH_FEATURES 0x80008000 = 0x0\n\
                    # ARCH_FEATURES 0x80007fff = 0xfffffffffffffffe\n\
                    # ARCH_FEATURES 0x80003fff = 0x1\nok 1 a\n";
        assert!(failures(&judge_run(text, [0, -2, 1])).is_empty());
        assert_eq!(
            failures(&judge_run(text, [1, -2, -1])),
            [
                "WORKAROUND_1 answers 1: it answers 0x0",
                "WORKAROUND_3 answers -1: it answers 0x1"
            ]
        );
        let short = text.replace("fffffffffffffffe", "fffffffe");
        assert_eq!(
            failures(&judge_run(&short, [0, -2, 1])),
            ["WORKAROUND_2 answers -2: it answers 0xfffffffe"]
        );
    }

    #[test]
    fn a_console_without_all_results_is_a_failure() {
        for text in ["", "KTAP version 1\n1..2\nok 1 a\n"] {
            assert!(!failures(&judge_run(text, [0, 0, 0])).is_empty());
        }
    }

    #[test]
    fn linux_must_find_what_was_answered() {
        let linux = |v2: &str, v4: &str, cpus: &str| {
            let log = format!(
                "psci: PSCIv1.1 detected in firmware.\npsci: SMC Calling Convention v1.1\n\
                 smp: Brought up 1 node, {cpus}\n"
            );
            transcript(&[(SPECTRE_V2, v2), (SPECTRE_V4, v4), (LOG, &log)])
        };
        let hosts = hosts::load(&Project::here()).unwrap();
        let host = hosts::find(&hosts, "fw-131").unwrap();
        let judge = |linux| failures(&judge_linux(host, &linux).unwrap());

        let good = "Mitigation: x";
        assert!(judge(linux(good, good, "4 CPUs")).is_empty());
        assert_eq!(judge(linux(good, good, "1 CPU")).len(), 1);
        assert_eq!(judge(linux("Vulnerable", good, "4 CPUs")).len(), 1);
        assert_eq!(judge(linux(good, "Not affected", "4 CPUs")).len(), 1);
    }

    #[test]
    fn linux_starts_as_many_cpus_as_the_test() {
        let hosts = on_linux(&Project::here()).unwrap();
        assert!(hosts.iter().any(|host| host.cpus >= CPUS));
    }
}
