// SPDX-License-Identifier: GPL-2.0

//! The hosts' EL3 firmware: what `lab/firmware/test` finds in the place of a kernel, and what Linux
//! does.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::plan::{Boots, Plan};
use super::Groups;
use crate::console::{self, Transcript};
use crate::hosts::{self, Answers, Host};
use crate::ktap;
use crate::project::Project;
use crate::qemu::{firmware::Firmware, Machine};
use crate::results::Case;
use crate::ui::Step;

/// As many as the test has (`lab/firmware/test/test.h`).
const CPUS: u32 = 4;

/// Far more than the test takes. It waits for ever for a CPU that does not come.
const LIMIT: Duration = Duration::from_secs(30);

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
const VULNERABILITIES: &str = "/sys/devices/system/cpu/vulnerabilities";

fn on_linux(project: &Project) -> Result<Vec<Host>> {
    let mut hosts = hosts::load(project)?;
    hosts.retain(|host| host.firmware.is_some());
    ensure!(
        hosts.iter().any(|host| host.cpus >= CPUS),
        "lab/hosts.toml has no host with the firmware and {CPUS} CPUs"
    );
    Ok(hosts)
}

pub fn plan(project: &Project, plan: &mut Plan) -> Result<()> {
    for host in on_linux(project)? {
        let job = plan.job(&host.name, host.kernel);
        job.command(SPECTRE_V2, 10, format!("cat {VULNERABILITIES}/spectre_v2"));
        let file = format!("{VULNERABILITIES}/spec_store_bypass");
        job.command(SPECTRE_V4, 10, format!("cat {file}"));
        job.command(LOG, 10, "dmesg | grep -E 'psci: |smp: '");
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    let step = Step::counter("testing the firmware", RUNS.len() as u64);
    for (cpu, answers) in RUNS {
        let name = cpu.split(',').next().unwrap_or(cpu);
        let cases = match run(project, cpu, CPUS, answers) {
            Ok(text) => judge_run(&text, answers),
            Err(error) => vec![Case::fail("boot", format!("{error:#}"))],
        };
        groups.push((format!("test/{name}"), cases));
        step.inc(1);
    }
    let refusal = Case::from_result("more CPUs than it can have", too_many_cpus(project));
    groups.push((String::new(), vec![refusal]));

    for host in on_linux(project)? {
        let cases = match boots.transcript(&host.name, host.kernel) {
            Ok(transcript) => judge_linux(&host, transcript)?,
            Err(error) => vec![Case::fail("boot", format!("{error:#}"))],
        };
        groups.push((format!("linux/{}", host.name), cases));
    }
    Ok(groups)
}

/// Runs the test until it switches the board off. Returns the console.
fn run(project: &Project, cpu: &str, cpus: u32, answers: [i32; 3]) -> Result<String> {
    let [workaround_1, workaround_2, workaround_3] = answers;
    let machine = Machine {
        cpu,
        memory: 256,
        cpus,
        firmware: Some(Firmware {
            image: &project.firmware(),
            answers: Answers {
                workaround_1,
                workaround_2,
                workaround_3,
            },
        }),
        kernel: &project.firmware_test(),
        initrd: None,
        cmdline: "",
        resets: true,
        limit: LIMIT,
    };
    let log = log(project, cpu, cpus)?;
    let ran = machine.run(&log);
    let text = console::clean(&fs_err::read(&log)?);
    ran.with_context(|| format!("its console ends with\n{}", console::tail(&text)))?;
    Ok(text)
}

fn log(project: &Project, cpu: &str, cpus: u32) -> Result<PathBuf> {
    let directory = project.out("log/firmware");
    fs_err::create_dir_all(&directory)?;
    let name = cpu.split(',').next().unwrap_or(cpu);
    Ok(directory.join(format!("{name}-{cpus}.log")))
}

/// What the test found, and each answer compared with the one that was configured.
fn judge_run(text: &str, answers: [i32; 3]) -> Vec<Case> {
    let ktap = ktap::parse(text);
    let mut cases = ktap.cases;
    if !ktap.problems.is_empty() {
        cases.push(Case::fail("(protocol)", ktap.problems.join("\n")));
    }
    for ((number, id), answer) in (1..).zip(WORKAROUNDS).zip(answers) {
        let name = format!("WORKAROUND_{number} answers {answer}");
        // x0 is the number with its sign.
        let expected = format!("# ARCH_FEATURES {id:#x} = {:#x}", i64::from(answer));
        let told = text.lines().any(|line| line == expected);
        cases.push(match told {
            true => Case::pass(name),
            false => Case::fail(name, format!("no line \"{expected}\" in\n{text}")),
        });
    }
    cases
}

fn too_many_cpus(project: &Project) -> Result<()> {
    let text = run(project, "cortex-a53", 9, [0; 3])?;
    let message = "EL3 firmware: more than 8 CPUs";
    if !text.contains(message) {
        bail!("it should say \"{message}\", but says\n{text}");
    }
    Ok(())
}

/// Whether Linux found what the firmware was told to answer.
fn judge_linux(host: &Host, transcript: &Transcript) -> Result<Vec<Case>> {
    let said = |name| Ok::<_, anyhow::Error>(transcript.section(name)?.output.trim());
    let log = said(LOG)?;
    let mut cases = Vec::new();
    let mut case = |name: &str, good, found: &str| {
        cases.push(match good {
            true => Case::pass(name),
            false => Case::fail(name, format!("Linux says\n{found}")),
        });
    };

    let booted = match host.cpus {
        1 => "smp: Brought up 1 node, 1 CPU".to_owned(),
        cpus => format!("smp: Brought up 1 node, {cpus} CPUs"),
    };
    for (name, line) in [
        ("PSCI", "psci: PSCIv1.1 detected in firmware."),
        ("SMCCC", "psci: SMC Calling Convention v1.1"),
        ("CPUs", &booted),
    ] {
        case(name, log.lines().any(|said| said.ends_with(line)), log);
    }

    let [wa1, wa2, _] = host.firmware.context("no firmware")?.all();
    let v2 = said(SPECTRE_V2)?;
    let expected = match wa1 {
        -1 => "Vulnerable",
        _ => "Mitigation: ",
    };
    case("Spectre-v2", v2.starts_with(expected), v2);
    let v4 = said(SPECTRE_V4)?;
    let expected = match wa2 {
        -1 => "Vulnerable",
        0 => "Mitigation: ",
        _ => "Not affected",
    };
    case("Spectre-v4", v4.starts_with(expected), v4);
    Ok(cases)
}
