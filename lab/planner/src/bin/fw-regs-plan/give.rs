// SPDX-License-Identifier: GPL-2.0

//! What new VMs are to be given, for whom will give it.

use std::io::{Result, Write};

use clap::ValueEnum;
use planner::registers::{json, long, name, short};
use planner::{Bound, Hosts, Left, Reader, Told};
use serde::Serialize;

use super::text;

/// For whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Lines of ids and values, for `KVM_SET_ONE_REG` and for `fw_regs_vmm restore`
    Ids,
    /// A custom CPU template of Firecracker's
    Firecracker,
    /// The option of QEMU
    Qemu,
    /// An object, for programs
    Json,
}

impl Format {
    pub fn reader(self) -> Reader {
        match self {
            Self::Ids | Self::Json => Reader::Any,
            Self::Firecracker => Reader::Firecracker,
            Self::Qemu => Reader::Qemu,
        }
    }
}

/// Tells what to give. What is left to the host is told to `err`, where the format has no place.
pub fn give(
    out: &mut impl Write,
    err: &mut impl Write,
    format: Format,
    hosts: &Hosts,
    told: &Told,
) -> Result<()> {
    match format {
        Format::Ids => ids(out, &told.pinned)?,
        Format::Firecracker => firecracker(out, &told.pinned)?,
        Format::Qemu => qemu(out, &told.pinned)?,
        Format::Json => return object(out, hosts, told),
    }
    // Before the rest on a terminal, where both are the same.
    out.flush()?;
    told.left
        .iter()
        .try_for_each(|left| self::left(err, hosts, left))
}

fn ids(out: &mut impl Write, pinned: &[&Bound]) -> Result<()> {
    for bound in pinned {
        let (id, value) = (u64::from(bound.register), bound.promise);
        writeln!(out, "{id:#018x} {value:#x}")?;
    }
    Ok(())
}

fn firecracker(out: &mut impl Write, pinned: &[&Bound]) -> Result<()> {
    let modifier = |bound: &&Bound| {
        let (addr, bitmap) = (u64::from(bound.register), bound.promise);
        format!("    {{ \"addr\": \"{addr:#018x}\", \"bitmap\": \"0b{bitmap:064b}\" }}")
    };
    let modifiers: Vec<String> = pinned.iter().map(modifier).collect();
    writeln!(
        out,
        "{{\n  \"reg_modifiers\": [\n{}\n  ]\n}}",
        modifiers.join(",\n")
    )
}

fn qemu(out: &mut impl Write, pinned: &[&Bound]) -> Result<()> {
    write!(out, "-cpu host")?;
    for bound in pinned {
        let version = short(bound.register.into(), bound.promise);
        write!(out, ",kvm-psci-version={version}")?;
    }
    writeln!(out)
}

fn left(err: &mut impl Write, hosts: &Hosts, left: &Left) -> Result<()> {
    let (id, why) = (left.register.into(), left.why.text());
    let value = left.value.map(|value| format!(" = {}", long(id, value)));
    write!(
        err,
        "left to the host: {}{}: {why}",
        name(id),
        value.unwrap_or_default()
    )?;
    if left.offers.len() == 1 && left.offers[0].offer == left.value {
        return writeln!(err, "; all hosts offer it");
    }
    writeln!(err)?;
    let (told, others) = left.offers.split_at(left.offers.len().min(text::MOST));
    for offered in told {
        text::offer(err, hosts, id, offered, false)?;
    }
    match others.iter().map(|offered| offered.hosts).sum() {
        0 => Ok(()),
        others => writeln!(err, "    other offers: {}", text::count(others, "host")),
    }
}

/// Told in the format `json`.
#[derive(Serialize)]
struct Object<'a> {
    registers: Vec<RegisterLine>,
    left_to_host: Vec<LeftLine<'a>>,
}

#[derive(Serialize)]
struct RegisterLine {
    #[serde(with = "json")]
    register: u64,
    name: &'static str,
    #[serde(with = "json")]
    value: u64,
}

#[derive(Serialize)]
struct LeftLine<'a> {
    #[serde(with = "json")]
    register: u64,
    name: &'static str,
    #[serde(with = "json::optional")]
    value: Option<u64>,
    why: &'static str,
    offers: Vec<OfferLine<'a>>,
}

#[derive(Serialize)]
struct OfferLine<'a> {
    #[serde(with = "json::optional")]
    offer: Option<u64>,
    hosts: Vec<&'a str>,
}

fn object(out: &mut impl Write, hosts: &Hosts, told: &Told) -> Result<()> {
    let register = |bound: &&Bound| RegisterLine {
        register: bound.register.into(),
        name: bound.register.name(),
        value: bound.promise,
    };
    let left = |left: &Left| LeftLine {
        register: left.register.into(),
        name: left.register.name(),
        value: left.value,
        why: left.why.text(),
        offers: Vec::from_iter(left.offers.iter().map(|offered| OfferLine {
            offer: offered.offer,
            hosts: hosts.names(hosts.members(offered)).collect(),
        })),
    };
    let object = Object {
        registers: told.pinned.iter().map(register).collect(),
        left_to_host: told.left.iter().map(left).collect(),
    };
    serde_json::to_writer(&mut *out, &object)?;
    writeln!(out)
}
