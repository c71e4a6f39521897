// SPDX-License-Identifier: GPL-2.0

//! `lab run`: saves a VM on every host, restores it on every host, and tells who accepted what.

mod report;

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use crate::boot::{Boot, Booter};
use crate::console::{Section, Transcript};
use crate::dump::{self, Dump};
use crate::hosts::{self, Host};
use crate::job::Job;
use crate::prepare;
use crate::project::{Handlers, Project};
use crate::vmm::{self, Refusal};

/// Far more than a boot takes, even on a busy machine.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

/// Who accepted what.
pub struct Matrix {
    pub hosts: Vec<Host>,
    /// One per host, in the order of the hosts, and then those from the field.
    pub dumps: Vec<Dump>,
    /// By dump, then by host: what the host refused.
    pub refusals: Vec<Vec<Vec<Refusal>>>,
}

pub fn run(project: &Project) -> Result<()> {
    prepare::for_run(project)?;
    let matrix = measure(project)?;
    report::print(&matrix)?;
    same_host(&matrix)
}

/// Fills the matrix, with the Rust handlers on every host.
pub fn measure(project: &Project) -> Result<Matrix> {
    let hosts = hosts::load(project)?;
    let booter = Booter::new(project)?;
    let mut job = Job::default();
    job.program(vmm::PROGRAM, vmm::build(project)?);

    let mut dumps = save(&booter, &hosts, job.clone())?;
    dumps.extend(dump::field(project)?);
    let refusals = restore(&booter, &hosts, &dumps, job)?;
    Ok(Matrix {
        hosts,
        dumps,
        refusals,
    })
}

fn save(booter: &Booter, hosts: &[Host], mut job: Job) -> Result<Vec<Dump>> {
    job.command("dump", 10, format!("/{} dump", vmm::PROGRAM));

    let transcripts = boot_all(booter, "saving a VM on every host", "dump", hosts, &job)?;
    hosts
        .iter()
        .zip(&transcripts)
        .map(|(host, transcript)| {
            let Section { status, output, .. } = transcript.section("dump")?;
            ensure!(
                *status == 0,
                "host {}: saving a VM failed with status {status}:\n{output}",
                host.name
            );
            Dump::parse(&host.name, output)
        })
        .collect()
}

fn restore(
    booter: &Booter,
    hosts: &[Host],
    dumps: &[Dump],
    mut job: Job,
) -> Result<Vec<Vec<Vec<Refusal>>>> {
    for dump in dumps {
        let file = file_of(dump);
        job.command(
            &dump.source,
            10,
            format!("/{} restore {file}", vmm::PROGRAM),
        );
        job.file(file.trim_start_matches('/'), dump.to_text());
    }

    let message = "restoring every VM on every host";
    let transcripts = boot_all(booter, message, "restore", hosts, &job)?;
    dumps
        .iter()
        .map(|dump| {
            hosts
                .iter()
                .zip(&transcripts)
                .map(|(host, transcript)| {
                    let section = transcript.section(&dump.source)?;
                    vmm::verdict(&file_of(dump), section.status, &section.output)
                        .with_context(|| format!("{} on host {}", dump.source, host.name))
                })
                .collect()
        })
        .collect()
}

fn file_of(dump: &Dump) -> String {
    format!("/dump/{}", dump.source)
}

/// All boots, or the errors of those that failed.
fn boot_all(
    booter: &Booter,
    message: &str,
    what: &str,
    hosts: &[Host],
    job: &Job,
) -> Result<Vec<Transcript>> {
    let boots: Vec<Boot> = hosts
        .iter()
        .map(|host| Boot {
            what,
            host,
            handlers: Handlers::Rust,
            kunit: false,
            job,
            limit: BOOT_LIMIT,
        })
        .collect();

    let (mut transcripts, mut errors) = (Vec::new(), Vec::new());
    for result in booter.all(message, &boots) {
        match result {
            Ok(transcript) => transcripts.push(transcript),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    if !errors.is_empty() {
        bail!("{message}: {} failed\n{}", errors.len(), errors.join("\n"));
    }
    Ok(transcripts)
}

/// A host that refuses what it has just offered is broken.
fn same_host(matrix: &Matrix) -> Result<()> {
    let broken: Vec<&str> = matrix
        .hosts
        .iter()
        .enumerate()
        .filter(|(index, _)| !matrix.refusals[*index][*index].is_empty())
        .map(|(_, host)| host.name.as_str())
        .collect();
    if !broken.is_empty() {
        bail!("refused what they offer themselves: {}", broken.join(", "));
    }
    Ok(())
}
