// SPDX-License-Identifier: GPL-2.0

//! The kernel's trace of writes to pseudo-registers, `kvm:kvm_arm_fw_reg_set`: one event for each,
//! with the verdict and its reason.

use anyhow::{bail, ensure, Context, Result};
use fw_regs_policy::Accepted;

use crate::boot::console::Transcript;
use crate::boot::job::Job;
use crate::model::answer::Answer;
use crate::model::matrix::Why;
use crate::model::reason::Reason;
use crate::model::registers::{hex, name, Id};
use crate::model::stream::Stream;

const TRACEFS: &str = "/sys/kernel/tracing";
const EVENT: &str = "kvm_arm_fw_reg_set";

/// The commands' names.
const ON: &str = "trace-on";
const READ: &str = "trace";

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Event {
    id: Id,
    value: u64,
    /// None: accepted.
    refused: Option<Why>,
}

/// Has a host trace the writes of the commands that follow, and forget those before.
pub fn switch_on(job: &mut Job) {
    let line = format!("echo >{TRACEFS}/trace && echo 1 >{TRACEFS}/events/kvm/{EVENT}/enable");
    job.command(ON, 10, line);
}

/// Has a host tell what it traced.
pub fn read(job: &mut Job) {
    job.command(READ, 60, format!("cat {TRACEFS}/trace"));
}

/// Tells for each refusal why, from the trace of the writes of all `streams`.
///
/// # Errors
///
/// A write without its event, an event without its write, or one with another verdict.
pub fn explain<'a>(
    transcript: &Transcript,
    streams: impl Iterator<Item = (&'a Stream, &'a mut Answer)>,
) -> Result<()> {
    assign(events(transcript)?, streams)
}

/// Tells of the writes that were refused, in their order.
pub fn refused(transcript: &Transcript) -> Result<Vec<(Id, u64, Why)>> {
    let events = events(transcript)?.into_iter();
    let refused = events.filter_map(|event| Some((event.id, event.value, event.refused?)));
    Ok(refused.collect())
}

fn events(transcript: &Transcript) -> Result<Vec<Event>> {
    for name in [ON, READ] {
        let section = transcript.section(name)?;
        ensure!(section.status == 0, "{name}: {}", section.output);
    }
    parse(&transcript.section(READ)?.output)
}

fn assign<'a>(
    events: Vec<Event>,
    streams: impl Iterator<Item = (&'a Stream, &'a mut Answer)>,
) -> Result<()> {
    let mut events = events.into_iter();
    for (stream, answer) in streams {
        let vm = &stream.name;
        let mut refusals = answer.refusals.iter_mut();
        for (id, value) in &stream.registers {
            let write = format!("{vm}: the write to {}", name(*id));
            let event = events.next();
            let event = event.with_context(|| format!("{write} was not traced"))?;
            ensure!(
                (event.id, event.value) == (*id, value.unwrap_or(0)),
                "{write} was traced as {event:x?}"
            );
            if event.refused.is_some() {
                let refusal = refusals.next();
                let refusal = refusal.filter(|it| (it.id, it.value) == (*id, *value));
                refusal
                    .with_context(|| format!("{write} was refused in the trace only"))?
                    .why = event.refused;
            }
        }
        if let Some(refusal) = refusals.next() {
            let register = name(refusal.id);
            bail!("{vm}: no reason was traced for the refusal of {register}");
        }
    }
    if let Some(event) = events.next() {
        bail!("a write was traced that nobody made: {event:x?}");
    }
    Ok(())
}

/// Reads what the kernel shows in `trace`.
fn parse(text: &str) -> Result<Vec<Event>> {
    let mut heads = text.lines().filter_map(|line| {
        let counts = line.strip_prefix("# entries-in-buffer/entries-written: ")?;
        counts.split_whitespace().next()?.split_once('/')
    });
    let (kept, written) = heads.next().context("the trace has no head")?;
    ensure!(kept == written, "the trace has lost events");

    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let events = lines.map(|line| event(line).with_context(|| format!("not an event: `{line}`")));
    let events = events.collect::<Result<Vec<_>>>()?;
    let count = events.len().to_string();
    ensure!(count == kept, "{count} of {kept} traced events were read");
    Ok(events)
}

fn event(line: &str) -> Option<Event> {
    let (_, fields) = line.split_once(&format!(": {EVENT}: "))?;
    let (numbers, verdict) = fields.split_once(" verdict=")?;
    let number = |name: &str| {
        let mut words = numbers.split_whitespace();
        hex(words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?)
    };
    let (promise, offer) = (number("promise")?, number("offer")?);
    Some(Event {
        id: number("id")?,
        value: number("value")?,
        refused: verdict_of(verdict)?.err().map(|reason| Why {
            reason,
            promise,
            offer,
        }),
    })
}

/// Reads a verdict, as the trace event tells it.
fn verdict_of(text: &str) -> Option<Result<Accepted, Reason>> {
    match text {
        "accepted" => Some(Ok(Accepted::Value)),
        "accepted: promises nothing" => Some(Ok(Accepted::NullPromise)),
        _ => Reason::from_text(text.strip_prefix("refused: ")?).map(Err),
    }
}

#[cfg(test)]
mod tests;
