// SPDX-License-Identifier: GPL-2.0

//! `matrix.json`: what booted hosts answered when VMs were moved between all of them.
//!
//! ```text
//! {
//!   "schema": "fw-regs-matrix/3",
//!   "hosts": [a host, ...],
//!   "dumps": [a dump, ...],
//!   "cells": [
//!     {"vm": "strict", "dump": "a53", "host": "n1", "accepted": false, "refusals": [
//!       {"register": "0x6030000000140003", "value": "0x2", "errno": "EINVAL",
//!        "why": {"reason": "exceeds the offer", "promise": "0x1", "offer": "0x1"}}]},
//!     {"vm": "strict", "dump": "n1", "host": "a53", "accepted": true, "back": true}
//!   ]
//! }
//! ```
//!
//! Hosts and dumps are those of [`crate::files`]. There is one cell for each kind of VM, dump and host:
//!
//! | key | |
//! | --- | --- |
//! | `vm` | the kind that the VM is everywhere: `strict`, or `default`. A host that has the C handlers has default VMs only |
//! | `accepted` | whether the host accepted all registers |
//! | `refusals` | the writes that it refused; missing where there are none |
//! | `why` | as the trace event tells it: missing for the C handlers, which have none |
//! | `back` | whether the first host took the VM back after it was saved on the second; missing where it did not get so far or the dump is from no host of the matrix |
//! | `refusals_back` | the writes that the first host refused then; missing where there are none |
//! | `told_otherwise` | what the VM's guest was told, on the second host or back on the first, that is not what its registers say: the register, its value there, what its firmware answered, and what the value stands for; missing where there is nothing of the kind |

mod fate;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::reason::Reason;
use crate::registers::{json, long, name, Id};
use crate::{Handlers, HostOffers, SavedVm};

pub use fate::Fate;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a matrix.json")]
pub struct Matrix {
    pub schema: Schema,
    pub hosts: Vec<HostOffers>,
    pub dumps: Vec<SavedVm>,
    pub cells: Vec<Cell>,
}

/// The two kinds of VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vm {
    Strict,
    Default,
}

impl Vm {
    pub const ALL: [Self; 2] = [Self::Strict, Self::Default];

    pub fn name(self) -> &'static str {
        match self {
            Self::Strict => "strict",
            Self::Default => "default",
        }
    }

    /// What a VM of this kind is on a host.
    pub fn on(self, handlers: Handlers) -> Self {
        match handlers {
            Handlers::Rust => self,
            Handlers::C => Self::Default,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schema {
    #[serde(rename = "fw-regs-matrix/3")]
    V3,
}

/// What one host answered to one VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    pub vm: Vm,
    pub dump: String,
    pub host: String,
    pub accepted: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<bool>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals_back: Vec<Refusal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told_otherwise: Vec<Contradiction>,
}

/// One refused write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    #[serde(rename = "register", with = "json")]
    pub id: Id,
    /// None: it was lost.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "json::optional"
    )]
    pub value: Option<u64>,
    pub errno: String,
    /// What the kernel's trace tells about it. Only the Rust handlers tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
}

impl Refusal {
    /// The write, as `register = value`.
    pub fn write(&self) -> String {
        let value = self.value.map(|value| long(self.id, value));
        format!(
            "{} = {}",
            name(self.id),
            value.unwrap_or("(lost)".to_owned())
        )
    }
}

/// Why a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    pub reason: Reason,
    /// What the VM had.
    #[serde(with = "json")]
    pub promise: u64,
    /// What the host could have kept.
    #[serde(with = "json")]
    pub offer: u64,
}

/// A register that the guest was told something else about than what its value stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contradiction {
    #[serde(rename = "register", with = "json")]
    pub id: Id,
    #[serde(with = "json")]
    pub value: u64,
    #[serde(with = "json")]
    pub told: u64,
    /// What follows from the value.
    #[serde(with = "json")]
    pub expected: u64,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the guest is told {} of {} = {}, which stands for {}",
            show(self.told),
            name(self.id),
            long(self.id, self.value),
            show(self.expected)
        )
    }
}

/// An answer as people read it: the errors are small negative numbers.
pub fn show(answer: u64) -> String {
    match answer as i64 {
        number @ -9..=9 => number.to_string(),
        _ => format!("{answer:#x}"),
    }
}

impl Matrix {
    /// The text of the file: one line for each host, dump and cell.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        Ok(format!(
            "{{\n  \"schema\": {},\n  \"hosts\": [{}\n  ],\n  \"dumps\": [{}\n  ],\n  \"cells\": [{}\n  ]\n}}\n",
            serde_json::to_string(&self.schema)?,
            lines(&self.hosts)?,
            lines(&self.dumps)?,
            lines(&self.cells)?
        ))
    }

    /// Whether each cell of these VMs is there once, and says one thing; and there are some.
    ///
    /// # Errors
    ///
    /// The first that is not, or does not.
    pub fn whole(&self, vm: Vm) -> Result<(), String> {
        let mut missing: BTreeSet<(&str, &str)> = BTreeSet::new();
        for dump in &self.dumps {
            missing.extend(self.hosts.iter().map(|host| (&*dump.name, &*host.name)));
        }
        if missing.is_empty() {
            return Err("it has no hosts, or no dumps".to_owned());
        }
        for cell in self.cells.iter().filter(|cell| cell.vm == vm) {
            let Cell { dump, host, .. } = cell;
            if !missing.remove(&(dump, host)) {
                return Err(format!("a cell too many: {dump} on {host}"));
            }
            if cell.accepted != cell.refusals.is_empty() {
                return Err(format!("both accepted and refused: {dump} on {host}"));
            }
            let is_home = |host: &HostOffers| host.name == *dump;
            if cell.back.is_some() != (cell.accepted && self.hosts.iter().any(is_home)) {
                return Err(format!("a way back too many, or missing: {dump} on {host}"));
            }
            if cell.back.unwrap_or(true) != cell.refusals_back.is_empty() {
                return Err(format!("both taken back and refused: {dump} on {host}"));
            }
        }
        match missing.first() {
            Some((dump, host)) => Err(format!("no cell for {dump} on {host}")),
            None => Ok(()),
        }
    }
}

fn lines<T: Serialize>(items: &[T]) -> Result<String, serde_json::Error> {
    let lines = items
        .iter()
        .map(|item| Ok(format!("\n    {}", serde_json::to_string(item)?)));
    Ok(lines.collect::<Result<Vec<_>, _>>()?.join(","))
}
