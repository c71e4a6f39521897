// SPDX-License-Identifier: GPL-2.0

//! What VMs meet on one host: its jobs, and what it says.

use std::collections::HashMap;

use anyhow::{ensure, Context, Result};

use crate::ask::trace;
use crate::ask::vmm::{self, Batch};
use crate::base::kernel::Handlers;
use crate::boot::console::{Section, Transcript};
use crate::boot::job::Job;
use crate::model::answer::Answer;
use crate::model::discovery::Told;
use crate::model::dump::Dump;
use crate::model::heard::Home;
use crate::model::hosts::Host;
use crate::model::matrix::Vm;

/// The command that saves a fresh VM.
fn home_command(vm: Vm) -> String {
    format!("home-{}", vm.name())
}

/// By which option a VM is of its kind.
fn option(vm: Vm, handlers: Handlers) -> &'static str {
    match vm.on(handlers) {
        Vm::Strict => vmm::STRICT,
        Vm::Default => "",
    }
}

/// Has a host save a fresh VM of its own, whose guest asks its firmware before.
pub fn save(job: &mut Job, vm: Vm, handlers: Handlers) {
    let (program, option) = (vmm::PROGRAM, option(vm, handlers));
    let line = format!("/{program} dump {option} {}", vmm::ASK);
    job.command(home_command(vm), 10, line);
}

/// The batch for VMs of that kind.
pub fn of_kind(batch: Batch, vm: Vm, handlers: Handlers) -> Batch {
    Batch {
        name: name(&batch.name, vm),
        options: format!("{} {}", batch.options, option(vm, handlers)),
        ..batch
    }
}

/// Has a host restore its batches, with a trace of that where the kernel has one.
pub fn restore(batches: &[Batch], handlers: Handlers) -> Job {
    let traced = handlers == Handlers::Rust;
    let mut job = Job::default();
    if traced {
        trace::switch_on(&mut job);
    }
    for batch in batches {
        batch.add_to(&mut job);
    }
    if traced {
        trace::read(&mut job);
    }
    job
}

/// Reads what `fw_regs_vmm dump` said of a VM whose guest asked its firmware before.
pub fn home(host: &Host, transcript: &Transcript, vm: Vm) -> Result<Home> {
    let (told, registers): (Vec<&str>, Vec<&str>) = output(host, transcript, &home_command(vm))?
        .lines()
        .partition(|line| Told::is_line(line));
    Ok(Home {
        dump: Dump::parse(&host.name, &registers.join("\n"))?,
        told: Told::parse(told.into_iter()).with_context(|| format!("host {}", host.name))?,
    })
}

pub fn output<'a>(host: &Host, transcript: &'a Transcript, command: &str) -> Result<&'a str> {
    let Section { status, output, .. } = transcript.section(command)?;
    ensure!(
        *status == 0,
        "host {}: saving a VM failed with status {status}:\n{output}",
        host.name
    );
    Ok(output)
}

/// What a host said of its batches, by their names.
pub struct Visit(HashMap<String, Vec<Answer>>);

impl Visit {
    /// With the reasons where they were traced.
    pub fn read(batches: &[Batch], transcript: &Transcript, handlers: Handlers) -> Result<Self> {
        let answers = batches.iter().map(|batch| batch.answers(transcript));
        let mut by_batch: Vec<Vec<Answer>> = answers.collect::<Result<_>>()?;
        if handlers == Handlers::Rust {
            let streams = batches.iter().flat_map(|batch| &batch.streams);
            trace::explain(transcript, streams.zip(by_batch.iter_mut().flatten()))?;
        }
        let names = batches.iter().map(|batch| batch.name.clone());
        Ok(Self(names.zip(by_batch).collect()))
    }

    /// What it said of the batch for VMs of that kind.
    pub fn take(&mut self, batch: &str, vm: Vm) -> Vec<Answer> {
        self.0.remove(&name(batch, vm)).unwrap_or_default()
    }
}

/// The name of the batch for VMs of that kind.
fn name(batch: &str, vm: Vm) -> String {
    format!("{batch}-{}", vm.name())
}
