// SPDX-License-Identifier: GPL-2.0

//! The hosts' EL3 firmware: what `lab/firmware/test` finds in the place of a kernel, and what Linux
//! does.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::ask::ktap;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::boot::console::{self, Transcript};
use crate::boot::qemu::{firmware::Firmware, Machine};
use crate::model::hosts::{self, Answers, Host};
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::boots::{Boots, Plan};

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
        "lab/data/hosts.toml has no host with the firmware and {CPUS} CPUs"
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
    let (image, kernel) = (project.firmware(), project.firmware_test());
    let machine = Machine {
        cpu,
        memory: 256,
        cpus,
        firmware: Some(Firmware {
            image: &image,
            answers: Answers {
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
        // x0 is the number with its sign.
        let told = format!("# ARCH_FEATURES {id:#x} = ");
        let told = text.lines().find_map(|line| line.strip_prefix(&told));
        let expected = format!("{:#x}", i64::from(answer));
        let name = format!("WORKAROUND_{number} answers {answer}");
        cases.push(match told.unwrap_or("nothing") {
            told if told == expected => Case::pass(name),
            told => Case::fail(name, format!("it answers {told}")),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::console::Section;
    use crate::model::results::Outcome;

    fn failed(cases: Vec<Case>) -> Vec<String> {
        let cases = cases.into_iter();
        cases
            .filter_map(|case| match case.outcome {
                Outcome::Fail(cause) => Some(format!("{}: {cause}", case.name)),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn each_answer_is_compared() {
        let text = "KTAP version 1\n1..1\n# ARCH_FEATURES 0x80008000 = 0x0\n\
                    # ARCH_FEATURES 0x80007fff = 0xfffffffffffffffe\n\
                    # ARCH_FEATURES 0x80003fff = 0x1\nok 1 a\n";
        assert!(failed(judge_run(text, [0, -2, 1])).is_empty());
        assert_eq!(
            failed(judge_run(text, [1, -2, -1])),
            [
                "WORKAROUND_1 answers 1: it answers 0x0",
                "WORKAROUND_3 answers -1: it answers 0x1"
            ]
        );
        let short = text.replace("fffffffffffffffe", "fffffffe");
        assert_eq!(
            failed(judge_run(&short, [0, -2, 1])),
            ["WORKAROUND_2 answers -2: it answers 0xfffffffe"]
        );
    }

    #[test]
    fn a_console_without_all_results_is_a_failure() {
        for text in ["", "KTAP version 1\n1..2\nok 1 a\n"] {
            assert!(!failed(judge_run(text, [0, 0, 0])).is_empty());
        }
    }

    #[test]
    fn linux_must_find_what_was_answered() {
        let transcript = |v2: &str, v4: &str, cpus: &str| {
            let log = format!(
                "psci: PSCIv1.1 detected in firmware.\npsci: SMC Calling Convention v1.1\n\
                 smp: Brought up 1 node, {cpus}\n"
            );
            let sections = [(SPECTRE_V2, v2), (SPECTRE_V4, v4), (LOG, &log)];
            Transcript {
                kernel: String::new(),
                served: String::new(),
                sections: sections
                    .map(|(name, output)| Section {
                        name: name.to_owned(),
                        status: 0,
                        output: output.to_owned(),
                    })
                    .into(),
            }
        };
        let hosts = hosts::load(&Project::here()).unwrap();
        let host = hosts::find(&hosts, "fw-131").unwrap();
        let judge = |transcript| failed(judge_linux(host, &transcript).unwrap());

        let good = "Mitigation: x";
        assert!(judge(transcript(good, good, "4 CPUs")).is_empty());
        assert_eq!(judge(transcript(good, good, "1 CPU")).len(), 1);
        assert_eq!(judge(transcript("Vulnerable", good, "4 CPUs")).len(), 1);
        assert_eq!(judge(transcript(good, "Not affected", "4 CPUs")).len(), 1);
    }
}
