// SPDX-License-Identifier: GPL-2.0

//! `matrix.json`: what booted hosts answered when VMs were moved between all of them.
//!
//! ```text
//! {
//!   "schema": "fw-regs-matrix/2",
//!   "hosts": [a host, ...],
//!   "dumps": [a dump, ...],
//!   "cells": [
//!     {"vm": "strict", "dump": "a53", "host": "n1", "accepted": false, "refusals": [
//!       {"register": "0x6030000000140003", "value": "0x2", "errno": "EINVAL",
//!        "reason": "exceeds the offer", "offer": "0x1"}]},
//!     {"vm": "strict", "dump": "n1", "host": "a53", "accepted": true, "back": true}
//!   ]
//! }
//! ```
//!
//! Hosts and dumps are those of [`super`]. There is one cell for each kind of VM, dump and host:
//!
//! | key | |
//! | --- | --- |
//! | `vm` | the kind that the VM is everywhere: `strict`, or `default`. A host that has the C handlers has default VMs only |
//! | `accepted` | whether the host accepted all registers |
//! | `refusals` | the writes that it refused; missing where there are none |
//! | `reason`, `offer` | as the trace event tells them: missing for the C handlers, which have none |
//! | `back` | whether the first host took the VM back after it was saved on the second; missing where it did not get so far or the dump is from no host of the matrix |
//! | `refusals_back` | the writes that the first host refused then; missing where there are none |
//! | `told_otherwise` | what the VM's guest was told, on the second host or back on the first, that is not what its registers say: the register, its value there, what its firmware answered, and what the value stands for; missing where there is nothing of the kind |

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{HostOffers, SavedVm};
use crate::base::project::Handlers;
use crate::model::reason::Reason;
use crate::model::registers::Id;

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
    #[serde(rename = "fw-regs-matrix/2")]
    V2,
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
    pub told_otherwise: Vec<ToldOtherwise>,
}

/// One refused write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    #[serde(with = "hex")]
    pub register: Id,
    #[serde(with = "hex")]
    pub value: u64,
    pub errno: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<Hex>,
}

/// A register that the guest was told something else about than what its value stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToldOtherwise {
    #[serde(with = "hex")]
    pub register: Id,
    #[serde(with = "hex")]
    pub value: u64,
    #[serde(with = "hex")]
    pub told: u64,
    #[serde(with = "hex")]
    pub expected: u64,
}

/// A number as a string with the prefix `0x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hex(#[serde(with = "hex")] pub u64);

mod hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{number:#x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::model::registers::hex(&text)
            .ok_or_else(|| D::Error::custom(format!("`{text}` is not of the form \"0x<number>\"")))
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

    /// Whether each cell of these VMs is there once, and says one thing.
    ///
    /// # Errors
    ///
    /// The first that is not, or does not.
    pub fn whole(&self, vm: Vm) -> Result<(), String> {
        let mut missing: BTreeSet<(&str, &str)> = BTreeSet::new();
        for dump in &self.dumps {
            missing.extend(
                self.hosts
                    .iter()
                    .map(|host| (&*dump.name, &*host.host.name)),
            );
        }
        for cell in self.cells.iter().filter(|cell| cell.vm == vm) {
            let Cell { dump, host, .. } = cell;
            if !missing.remove(&(dump, host)) {
                return Err(format!("a cell too many: {dump} on {host}"));
            }
            if cell.accepted != cell.refusals.is_empty() {
                return Err(format!("both accepted and refused: {dump} on {host}"));
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
