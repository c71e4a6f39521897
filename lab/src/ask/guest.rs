// SPDX-License-Identifier: GPL-2.0

//! A real QEMU with a guest of ours on a host: having `lab/guest/vm` run it, and reading what it
//! says.

use anyhow::{bail, ensure, Context, Result};

use super::trace;
use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::boot::console::{Section, Transcript};
use crate::boot::job::Job;
use crate::get::qemu::Qemu;
use crate::model::journeys::{Act, Way};
use crate::model::page::{Lines, Mark, Page};
use crate::model::travels::{End, Refused, RefusedWrite};

/// The commands' names, and the files that they show.
const VM: &str = "vm";
const SERIAL: &str = "serial";
const ERRORS: &str = "errors";
const SAVED: &str = "saved";

/// How long all acts on a host may take, in seconds: far more than they do, even on a busy machine.
const LIMIT: u64 = 120;

/// `vm`'s exit status where QEMU does not load the VM.
const REFUSED: i32 = 3;

/// What QEMU's messages begin with.
const QEMU: &str = "qemu-system-aarch64: ";

/// A VM on the way from one host to the next: the sum of what QEMU saved, and that, packed as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    sum: String,
    packed: String,
}

impl Packed {
    /// Loses half of it.
    pub fn cut(&mut self) {
        self.packed.truncate(self.packed.len() / 2);
    }
}

/// What a host needs for it: its first job.
pub fn install(project: &Project, qemu: &Qemu) -> Job {
    let mut job = Job::default();
    job.program("qemu/qemu-system-aarch64", &qemu.program);
    for library in &qemu.libraries {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        job.program(format!("lib/{name}"), library);
    }
    job.program("bin/vm", project.root().join("lab/guest/vm"));
    job.program("vm/guest", project.guest());
    job.command("installed", 10, "true");
    job
}

/// What a host does with the guest.
pub struct Errand<'a> {
    /// QEMU's `-cpu`.
    pub cpu: &'a str,
    /// What comes from another host, if it does not start here.
    pub from: Option<(Way, &'a Packed)>,
    pub acts: &'a [Act],
    /// How it goes on from here, if it does.
    pub to: Option<Way>,
}

/// Has a host do that. After each act the guest is to write some lines.
pub fn ask(job: &mut Job, handlers: Handlers, errand: &Errand) {
    let mut acts = Vec::new();
    acts.push(match errand.from {
        None => "start",
        Some((Way::Stream, _)) => "load",
        Some((Way::Snapshot, _)) => "recall",
    });
    if let Some((_, Packed { sum, packed })) = errand.from {
        job.file("vm/sum", &**sum);
        job.file("vm/packed", &**packed);
    }
    acts.extend(errand.acts.iter().filter_map(|act| act.name()));
    let mut line = format!("CPU={} /bin/vm", errand.cpu);
    for act in acts {
        line += &format!(" {act} lines");
    }
    line += match errand.to {
        None => "",
        Some(Way::Stream) => " save",
        Some(Way::Snapshot) => " record",
    };

    if handlers == Handlers::Rust {
        trace::switch_on(job);
    }
    job.command(VM, LIMIT, line);
    job.command(SERIAL, 10, "cat /vm/serial");
    job.command(ERRORS, 10, "cat /vm/errors");
    if handlers == Handlers::Rust {
        trace::read(job);
    }
    if errand.to.is_some() {
        job.command(SAVED, 60, "cat /vm/sum /vm/packed");
    }
}

/// Reads how the VM fared there, and it as it was saved, if it was.
pub fn read(said: &Transcript, handlers: Handlers, page: &mut Page) -> (End, Option<Packed>) {
    match end(said, handlers, page).and_then(|end| Ok((end, packed(said)?))) {
        Ok(ended) => ended,
        Err(error) => (End::Failed(heard(said, &error)), None),
    }
}

fn end(said: &Transcript, handlers: Handlers, page: &mut Page) -> Result<End> {
    let Section { status, output, .. } = said.section(VM)?;
    match *status {
        0 => Ok(End::Written(lines(said, page)?)),
        REFUSED => refused(said, handlers).map(End::Refused),
        _ => {
            let told = output.lines().find_map(|line| line.strip_prefix("vm: "));
            match told {
                Some(told) => bail!("{told}"),
                None => bail!("`vm` ended with status {status} after {LIMIT} s or less"),
            }
        }
    }
}

fn lines(said: &Transcript, page: &mut Page) -> Result<Lines> {
    let marks = said.section(VM)?.output.lines().filter_map(mark);
    page.take(&said.section(SERIAL)?.output, &marks.collect::<Vec<_>>())
}

/// Reads what `vm` tells of the guest's lines.
fn mark(line: &str) -> Option<Mark> {
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["reset", at] => Some(Mark::Reset(at.parse().ok()?)),
        ["loaded", saved, loaded] => Some(Mark::Loaded(saved.parse().ok()?, loaded.parse().ok()?)),
        ["recalled", at] => Some(Mark::Recalled(at.parse().ok()?)),
        _ => None,
    }
}

fn refused(said: &Transcript, handlers: Handlers) -> Result<Refused> {
    let lines = said.section(ERRORS)?.output.lines();
    let lines = lines.map(|line| line.strip_prefix(QEMU).unwrap_or(line).to_owned());
    let mut refused = Refused {
        message: Vec::new(),
        writes: None,
    };
    for line in lines {
        // Registers are written several times, and some are none of the matter.
        if !line.starts_with("warning: ") && !refused.message.contains(&line) {
            refused.message.push(line);
        }
    }
    if handlers == Handlers::Rust {
        let mut writes = Vec::new();
        for (id, value, why) in trace::refused(said)? {
            let write = RefusedWrite { id, value, why };
            if !writes.contains(&write) {
                writes.push(write);
            }
        }
        refused.writes = Some(writes);
    }
    ensure!(
        refused.is_about_registers(),
        "QEMU does not load what it is sent: {}",
        refused.message.join("; ")
    );
    Ok(refused)
}

fn packed(said: &Transcript) -> Result<Option<Packed>> {
    let Ok(Section { status, output, .. }) = said.section(SAVED) else {
        return Ok(None);
    };
    if said.section(VM)?.status != 0 {
        return Ok(None);
    }
    let parts = output.split_once('\n').filter(|_| *status == 0);
    let (sum, packed) = parts.context("the saved VM cannot be read")?;
    Ok(Some(Packed {
        sum: sum.to_owned(),
        packed: packed.to_owned(),
    }))
}

/// An error with what was heard last: from `vm`, from QEMU and from the guest.
fn heard(said: &Transcript, error: &anyhow::Error) -> String {
    let last = |name: &str, is_meant: fn(&&str) -> bool| {
        let output = said.section(name).map_or("", |section| &section.output);
        let mut lines = output.lines().filter(|line| !line.trim().is_empty());
        lines.rfind(is_meant).unwrap_or("(nothing)").to_owned()
    };
    format!(
        "{error:#}\n  last act: {}\n  QEMU said last: {}\n  the guest wrote last: {}",
        last(VM, |line| line.starts_with("act ")),
        last(ERRORS, |_| true),
        last(SERIAL, |_| true)
    )
}

#[cfg(test)]
mod tests;
