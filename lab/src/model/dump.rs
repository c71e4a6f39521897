// SPDX-License-Identifier: GPL-2.0

//! Dumps: the ids and values that userspace saved from a VM, from the lab's hosts and from the
//! field.

use anyhow::{ensure, Context, Result};

use crate::base::project::Project;
use crate::model::registers::{self, hex, Id};
use crate::model::stream::Stream;

/// A saved VM's pseudo-registers, in the order in which they are restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dump {
    /// Where it was saved.
    pub source: String,
    pub registers: Vec<(Id, u64)>,
}

impl Dump {
    /// Reads what `fw_regs_vmm dump` prints.
    pub fn parse(source: &str, text: &str) -> Result<Self> {
        let registers = text
            .lines()
            .map(registers::line)
            .enumerate()
            .map(|(index, register)| {
                register.with_context(|| {
                    format!("dump of {source}, line {}: not a register", index + 1)
                })
            })
            .collect::<Result<Vec<_>>>()?;
        ensure!(!registers.is_empty(), "dump of {source}: no registers");
        Ok(Self {
            source: source.to_owned(),
            registers,
        })
    }

    /// What a VMM restores that makes no mistake.
    pub fn stream(&self) -> Stream {
        Stream {
            name: self.source.clone(),
            registers: self
                .registers
                .iter()
                .map(|(id, value)| (*id, Some(*value)))
                .collect(),
        }
    }

    pub fn value(&self, id: Id) -> Option<u64> {
        let (_, value) = self.registers.iter().find(|(found, _)| *found == id)?;
        Some(*value)
    }
}

/// The values of real hosts, one dump per host and kernel; see `lab/testdata/README.md`.
pub fn field(project: &Project) -> Result<Vec<Dump>> {
    let path = project.root().join("lab/testdata/pseudo-registers.tsv");
    parse_field(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

fn parse_field(text: &str) -> Result<Vec<Dump>> {
    let mut dumps: Vec<Dump> = Vec::new();
    for (index, line) in text.lines().enumerate().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let row = match columns[..] {
            [host, kernel, id, value, ..] => hex(id).zip(hex(value)).map(|row| (host, kernel, row)),
            _ => None,
        };
        let (host, kernel, register) =
            row.with_context(|| format!("line {}: not a register", index + 1))?;

        let source = label(host, kernel);
        match dumps.iter_mut().find(|dump| dump.source == source) {
            Some(dump) => dump.registers.push(register),
            None => dumps.push(Dump {
                source,
                registers: vec![register],
            }),
        }
    }
    ensure!(!dumps.is_empty(), "no registers");
    Ok(dumps)
}

/// `NEOVERSE_V2_6.1host` with kernel `6.1.129-138.220.amzn2023.aarch64` is `v2-6.1.129`: the host
/// type's own kernel series is in the kernel's version already.
fn label(host: &str, kernel: &str) -> String {
    let model = host.rsplit_once('_').map_or(host, |(model, _)| model);
    let model = model.strip_prefix("NEOVERSE_").unwrap_or(model);
    let version = kernel.split('-').next().unwrap_or(kernel);
    format!("{}-{version}", model.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_survives_its_text() {
        let text = "0x6030000000140000 0x10003\n0x6030000000140001 0x2\n";
        let dump = Dump::parse("a53", text).unwrap();
        assert_eq!(dump.value(0x6030_0000_0014_0001), Some(2));
        assert_eq!(dump.value(1), None);
        assert_eq!(dump.stream().to_text(), text);
    }

    #[test]
    fn what_is_no_dump_is_an_error() {
        for text in ["", "0x1", "0x1 2", "0x1 0x2\nfw_regs_vmm: trouble"] {
            assert!(Dump::parse("a53", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_field_dumps_are_one_per_host_and_kernel() {
        let dumps = field(&Project::here()).unwrap();
        assert_eq!(dumps.len(), 11);

        let wa3 = |source: &str| {
            let dump = dumps.iter().find(|dump| dump.source == source);
            dump.unwrap().value(0x6030_0000_0014_0003)
        };
        assert_eq!(wa3("v2-6.1.129"), Some(2));
        assert_eq!(wa3("v2-6.1.172"), Some(1));
    }

    #[test]
    fn a_bad_field_file_is_an_error() {
        for text in ["", "head\n", "head\na\tb\t0x1", "head\na\tb\t1\t0x1\td\ts"] {
            assert!(parse_field(text).is_err(), "{text:?}");
        }
    }
}
