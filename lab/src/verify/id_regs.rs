// SPDX-License-Identifier: GPL-2.0

//! What a guest sees of its CPU with the lab's small kernel is what it sees with Debian's of the
//! same series, but for what `lab/data/id-regs.toml` lists. VMMs such as QEMU refuse a VM whose
//! registers the destination does not have just so, before the firmware is asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::base::kernel::{Handlers, Kernel};
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::build::{rust_vmm, Built};
use crate::get::{kernels, source};
use crate::model::hosts::{self, Host};
use crate::model::results::{Case, Groups};
use crate::verify::boots::{cases_or_failure, Boots, Plan};

const COMMAND: &str = "id-regs";

/// Why a register differs, by its name.
type Reasons = BTreeMap<String, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    hosts: BTreeMap<String, Reasons>,
}

fn load() -> Result<File> {
    let text = include_str!("../../data/id-regs.toml");
    toml::from_str(text).context("lab/data/id-regs.toml")
}

fn debian(project: &Project) -> Result<Kernel> {
    let version = source::version_of(&project.tree()).context("the tree has no version")?;
    Ok(Kernel::Debian(version.series()))
}

pub fn plan(project: &Project, built: &Built, plan: &mut Plan) -> Result<()> {
    let (debian, all) = (debian(project)?, hosts::load(project)?);
    let program = rust_vmm::ensure(project, &built.tools)?.registers;
    for host in load()?.hosts.keys() {
        let host = hosts::find(&all, host)?;
        let with_debian = Host {
            kernel: debian,
            ..host.clone()
        };
        kernels::ensure(project, [&with_debian])?;
        if !project.image(debian).exists() {
            continue;
        }
        for kernel in [Handlers::Rust.into(), debian] {
            let job = plan.job(&host.name, kernel);
            job.program("rust-vmm/registers", &program);
            job.command(COMMAND, 30, "/rust-vmm/registers");
        }
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let debian = debian(project)?;
    let is_there = project.image(debian).exists();
    let hosts = load()?.hosts.into_iter().map(|(host, reasons)| {
        let registers = |kernel| registers(boots.transcript(&host, kernel)?);
        let cases = match is_there {
            true => registers(Handlers::Rust.into())
                .and_then(|ours| Ok(compare(&ours, &registers(debian)?, &reasons))),
            false => Ok(vec![Case::skip(
                "boot",
                format!("the mirror has no {debian}"),
            )]),
        };
        (host, cases_or_failure(cases))
    });
    Ok(hosts.collect())
}

/// The value of each register that has one to compare, by name.
fn registers(transcript: &Transcript) -> Result<BTreeMap<&str, &str>> {
    let section = transcript.section(COMMAND)?;
    ensure!(section.status == 0, "it failed: {}", section.output.trim());
    let lines = section.output.lines().filter(|line| !line.is_empty());
    let registers = lines.map(|line| line.split_once(' ').unwrap_or((line, "there")));
    let registers = BTreeMap::from_iter(registers);
    ensure!(!registers.is_empty(), "it printed no register");
    Ok(registers)
}

/// A case for all that should be equal, and one for each difference.
fn compare(
    ours: &BTreeMap<&str, &str>,
    debian: &BTreeMap<&str, &str>,
    reasons: &Reasons,
) -> Vec<Case> {
    let listed = reasons.keys().map(String::as_str);
    let names = ours.keys().chain(debian.keys()).copied().chain(listed);
    let names = BTreeSet::from_iter(names);
    let count = names.len();
    let mut cases = Vec::new();
    for name in names {
        let (ours, debian) = (ours.get(name), debian.get(name));
        match (ours == debian, reasons.get(name)) {
            (true, None) => (),
            (true, Some(_)) => cases.push(Case::fail(
                name,
                "it is equal: take it out of lab/data/id-regs.toml",
            )),
            (false, Some(why)) => cases.push(Case::skip(name, why)),
            (false, None) => {
                let [ours, debian] = [ours, debian].map(|it| it.unwrap_or(&"not there"));
                cases.push(Case::fail(
                    name,
                    format!("with the lab's kernel {ours}\nwith Debian's {debian}"),
                ));
            }
        }
    }
    let equal = count - cases.len();
    cases.insert(0, Case::pass(format!("{equal} registers")));
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::boots::testing::{failures, transcript};

    fn compared(ours: &str, debian: &str, listed: &str) -> Vec<Case> {
        let [ours, debian] = [ours, debian].map(|text| transcript(&[(COMMAND, text)]));
        let why = || "too large".to_owned();
        let reasons = listed.split_whitespace().map(|it| (it.to_owned(), why()));
        let registers = |it| registers(it).unwrap();
        compare(&registers(&ours), &registers(&debian), &reasons.collect())
    }

    #[test]
    fn a_difference_fails_unless_it_is_listed() {
        assert_eq!(
            compared("A 1\nB\n", "B\nA 1\n", ""),
            [Case::pass("2 registers")]
        );
        let of = |listed| compared("A 1\nB\nD\n", "A 2\nC\nD\n", listed);
        assert_eq!(failures(&of("")).len(), 3);
        assert_eq!(failures(&of("A B C")).len(), 0);
        assert_eq!(failures(&of("A B C D")).len(), 1);
        assert_eq!(of("A B C")[0], Case::pass("1 registers"));
    }

    #[test]
    fn a_program_that_says_nothing_is_no_result() {
        assert!(registers(&transcript(&[(COMMAND, "\n")])).is_err());
        assert!(registers(&transcript(&[])).is_err());
    }

    #[test]
    fn the_file_of_the_project_is_valid() {
        let all = hosts::load(&Project::here()).unwrap();
        let file = load().unwrap();
        assert!(!file.hosts.is_empty());
        for host in file.hosts.keys() {
            hosts::find(&all, host).unwrap();
        }
    }
}
