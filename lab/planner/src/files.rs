// SPDX-License-Identifier: GPL-2.0

//! Fleets as files tell them: what hosts offer, and what was saved from VMs. Whatever the form of
//! a file, an error tells the line.
//!
//! Hosts and dumps are JSON objects, one on each line of a file (JSON Lines):
//!
//! ```text
//! {"host": "n1", "offers": ["0x6030000000140002 0x0", ...], "offers_ssbs_hidden": ["0x6030000000140002 0x3"]}
//! {"dump": "vm-1", "registers": ["0x6030000000140000 0x10003", ...]}
//! ```
//!
//! A register is a line of `fw_regs_vmm`, as a string: numbers of 64 bits do not survive every
//! reader of JSON.
//!
//! | key of a host | |
//! | --- | --- |
//! | `host` | its name |
//! | `about` | anything, for people (optional) |
//! | `kernel` | who serves the registers there, `rust` or `c` (optional: `rust`) |
//! | `offers` | the best that it can keep for a VM whose vCPUs have `KVM_ARM_VCPU_PSCI_0_2`. A register that is missing is one that its kernel does not know |
//! | `offers_ssbs_hidden` | what it offers else to a VM from which `ID_AA64PFR1_EL1.SSBS` is hidden (optional) |
//!
//! A fresh VM shows what its host offers, except for VENDOR_HYP_BMAP_2, which starts at 0: the
//! trace event of a write to it tells its offer.
//!
//! | key of a dump | |
//! | --- | --- |
//! | `dump` | its name |
//! | `registers` | what was saved |
//! | `psci_0_2` | whether the VM's vCPUs have `KVM_ARM_VCPU_PSCI_0_2` (optional: true) |
//! | `ssbs_visible` | whether the VM sees SSBS on hosts that have it (optional: true) |

use std::collections::HashSet;
use std::path::Path;

use anyhow::{anyhow, ensure, Result};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::Deserialize;

use crate::error::Help;
use crate::lines::{self, Registers};
use crate::matrix::Matrix;
use crate::{HostOffers, SavedVm};

const HOSTS_HELP: &str = "a file of hosts has lines like {\"host\": \"h1\", \"offers\": [\"0x<id> \
                          0x<value>\", ...]}, or is a matrix.json";
const DUMPS_HELP: &str = "a file of dumps has lines like {\"dump\": \"vm-1\", \"registers\": \
                          [\"0x<id> 0x<value>\", ...]}, or is a matrix.json, or one dump as \
                          fw_regs_vmm prints it";

/// What files have many of.
trait Entry: DeserializeOwned {
    const WHAT: &str;
    const HELP: &str;

    fn name(&self) -> &str;

    fn of_matrix(matrix: Matrix) -> Vec<Self>;

    /// The entry that a file is which `fw_regs_vmm` printed.
    fn of_vmm(_file: &str, _text: &str) -> Option<Result<Self>> {
        None
    }
}

impl Entry for HostOffers {
    const WHAT: &str = "host";
    const HELP: &str = HOSTS_HELP;

    fn name(&self) -> &str {
        &self.name
    }

    fn of_matrix(matrix: Matrix) -> Vec<Self> {
        matrix.hosts
    }
}

impl Entry for SavedVm {
    const WHAT: &str = "dump";
    const HELP: &str = DUMPS_HELP;

    fn name(&self) -> &str {
        &self.name
    }

    fn of_matrix(matrix: Matrix) -> Vec<Self> {
        matrix.dumps
    }

    fn of_vmm(file: &str, text: &str) -> Option<Result<Self>> {
        text.starts_with("0x").then(|| plain(file, text))
    }
}

/// The hosts of a file: JSON Lines, or a `matrix.json`.
pub fn hosts(path: &Path) -> Result<Vec<HostOffers>> {
    read(&[path])
}

/// The dumps of some files: JSON Lines, a `matrix.json`, or what `fw_regs_vmm dump` printed.
pub fn dumps(paths: &[impl AsRef<Path>]) -> Result<Vec<SavedVm>> {
    read(paths)
}

pub fn matrix(path: &Path) -> Result<Matrix> {
    let text = fs_err::read_to_string(path)?;
    parse(&path.display().to_string(), 1, &text)
}

fn read<T: Entry>(paths: &[impl AsRef<Path>]) -> Result<Vec<T>> {
    let (mut entries, mut names) = (Vec::new(), HashSet::new());
    for path in paths {
        let text = fs_err::read_to_string(path.as_ref())?;
        let file = path.as_ref().display().to_string();
        let found = entries_of(&file, &text).and_then(|found| named(&file, found, &mut names));
        entries.extend(found.help(T::HELP)?);
    }
    Ok(entries)
}

/// Those entries, if there are some and each has a name of its own: answers are told by name.
fn named<T: Entry>(
    file: &str,
    found: Vec<(String, T)>,
    names: &mut HashSet<String>,
) -> Result<Vec<T>> {
    let what = T::WHAT;
    ensure!(!found.is_empty(), "{file}: no {what}");
    let named = found.into_iter().map(|(place, entry)| {
        let name = entry.name();
        ensure!(
            !name.is_empty() && !name.contains(char::is_control),
            "{place}: {name:?} is no name: one line of text is"
        );
        ensure!(
            names.insert(name.to_owned()),
            "{place}: another {what} named `{name}`"
        );
        Ok(entry)
    });
    named.collect()
}

/// All of a file, each with its place.
fn entries_of<T: Entry>(file: &str, text: &str) -> Result<Vec<(String, T)>> {
    if is_matrix(text) {
        let entries = T::of_matrix(parse(file, 1, text)?).into_iter();
        return Ok(entries.map(|entry| (file.to_owned(), entry)).collect());
    }
    if let Some(entry) = T::of_vmm(file, text) {
        return Ok(vec![(file.to_owned(), entry?)]);
    }
    let lines = (1..).zip(text.lines());
    lines
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| Ok((format!("{file}:{number}"), parse(file, number, line)?)))
        .collect()
}

/// A `matrix.json` is one object, and says so.
fn is_matrix(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        schema: Option<IgnoredAny>,
    }

    let first = Probe::deserialize(&mut serde_json::Deserializer::from_str(text));
    first.is_ok_and(|object| object.schema.is_some())
}

/// Reads JSON that begins on line `first` of a file.
fn parse<T: DeserializeOwned>(file: &str, first: usize, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let said = error.to_string();
        let place = format!(" at line {line} column {column}");
        let said = said.strip_suffix(&place).unwrap_or(&said);
        // Errors about the whole of the text have no place.
        let line = first + line.saturating_sub(1);
        anyhow!("{file}:{line}:{column}: {said}")
    })
}

/// One dump, named like its file.
fn plain(file: &str, text: &str) -> Result<SavedVm> {
    let mut registers = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let register = lines::line(line);
        registers.push(register.map_err(|error| anyhow!("{file}:{number}: {error}"))?);
    }
    let registers = Registers::new(registers);
    let registers = registers.map_err(|error| anyhow!("{file}: {error}"))?;
    Ok(SavedVm::new(file, registers))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = r#"{"host":"a","offers":["0x6030000000140003 0x1"]}"#;
    const DUMP: &str = r#"{"dump":"a","registers":["0x6030000000140003 0x1"]}"#;
    const LINE: &str = "0x6030000000140003 0x1\n";

    fn matrix_of(cells: &str) -> String {
        format!(
            "{{\n\"hosts\": [{HOST}],\n\"dumps\": [{DUMP}],\n\"cells\": [{cells}],\n\
             \"schema\": \"fw-regs-matrix/3\"}}\n"
        )
    }

    fn with_file<T>(text: &str, use_it: impl Fn(&Path) -> T) -> T {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        use_it(file.path())
    }

    #[test]
    fn all_forms_are_read() {
        let two = HOST.replace(r#""a""#, r#""b""#);
        for (text, count) in [
            (HOST.to_owned(), 1),
            (format!("{HOST}\n\n{two}\n"), 2),
            (matrix_of(""), 1),
        ] {
            assert_eq!(with_file(&text, |path| hosts(path).unwrap().len()), count);
        }
        for text in [DUMP, LINE, &matrix_of("")] {
            let dumps = with_file(text, |path| dumps(&[path]).unwrap());
            let registers: Vec<_> = dumps[0].registers.iter().collect();
            assert_eq!(registers, [(0x6030_0000_0014_0003, 1)], "{text}");
        }
    }

    #[test]
    fn errors_tell_the_line() {
        let cases = [
            (format!("{HOST}\n{{}}"), ":2:2: missing field `host`"),
            (format!("{HOST}\n{HOST}"), ":2: another host named `a`"),
            (format!("\n{HOST},"), ":2:49: trailing characters"),
            (
                LINE.to_owned(),
                ":1:1: invalid type: integer `0`, expected a host",
            ),
            (HOST.replace(r#""a""#, r#""""#), ":1: \"\" is no name"),
            (String::new(), ": no host"),
            (matrix_of("{}"), ":4:12: missing field `vm`"),
        ];
        for (text, message) in cases {
            let error = with_file(&text, |path| hosts(path).unwrap_err());
            let error = crate::error::render(&error);
            assert!(error.contains(message), "{error}");
            assert!(error.contains("\nhelp: a file of hosts"), "{error}");
        }
        for (text, message) in [
            (format!("{LINE}0x1"), ":2: `0x1` is not of the form"),
            (
                format!("{LINE}{LINE}"),
                ": SMCCC_ARCH_WORKAROUND_3 is there twice",
            ),
            (
                DUMP.replace("0x1", "1"),
                ":1:49: `0x6030000000140003 1` is not of the form",
            ),
        ] {
            let error = with_file(&text, |path| dumps(&[path]).unwrap_err());
            assert!(crate::error::render(&error).contains(message), "{error}");
        }
    }
}
