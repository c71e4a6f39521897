// SPDX-License-Identifier: GPL-2.0

//! What one file holds. Its form is told by its content: JSON Lines, one JSON value over many lines,
//! or the lines of `fw_regs_vmm`.

use std::io::{BufRead, BufReader, Cursor, Read, Result as IoResult};

use anyhow::{anyhow, ensure, Context, Result};
use fs_err::File;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::Deserialize;

use super::firecracker::{Fingerprint, Template};
use super::paths::Source;
use super::{Entry, Watch};
use crate::{lines, SavedVm};

/// Reads a file, and hands each entry on with its place.
pub fn read<T: Entry>(
    source: &Source,
    watch: &mut dyn Watch,
    each: &mut dyn FnMut(&str, T) -> Result<()>,
) {
    let file = source.path.display().to_string();
    let mut reading = Reading {
        source,
        file: &file,
        found: false,
        watch,
        each,
    };
    match reading.all() {
        Ok(false) => reading.watch.broken(anyhow!("{file}: no {}", T::WHAT)),
        Ok(true) => {}
        Err(error) => reading.watch.broken(error),
    }
}

struct Reading<'a, T> {
    source: &'a Source,
    file: &'a str,
    found: bool,
    watch: &'a mut dyn Watch,
    each: &'a mut dyn FnMut(&str, T) -> Result<()>,
}

impl<T: Entry> Reading<'_, T> {
    /// Returns whether there are entries, broken ones included.
    fn all(&mut self) -> Result<bool> {
        let mut reader = BufReader::new(File::open(&self.source.path)?);
        let (mut first, mut number) = (Vec::new(), 0);
        while first.trim_ascii().is_empty() {
            first.clear();
            number += 1;
            if self.line(&mut reader, &mut first)? == 0 {
                return Ok(false);
            }
        }
        let ends_early = |line: &[u8]| {
            let line = serde_json::from_slice::<IgnoredAny>(line);
            line.is_err_and(|error| error.is_eof())
        };
        if first.starts_with(b"0x") {
            self.rest(&mut reader, &mut first)?;
            self.plain(number, &first)?;
        } else if !first.trim_ascii_start().starts_with(b"{") {
            let file = self.file;
            return Err(anyhow!(
                "{file}:{number}: neither JSON nor a line of the form \"0x<id> 0x<value>\""
            ));
        } else if ends_early(&first) {
            self.rest(&mut reader, &mut first)?;
            // In a value over many lines only the first one begins so.
            match first.windows(2).any(|pair| pair == b"\n{") {
                true => self.lines(number, &mut Cursor::new(first))?,
                false => self.value(number, first.trim_ascii_end())?,
            }
        } else {
            self.lines(number, &mut Cursor::new(first).chain(reader))?;
        }
        Ok(self.found)
    }

    fn line(&mut self, reader: &mut impl BufRead, line: &mut Vec<u8>) -> Result<usize> {
        let length = reader.read_until(b'\n', line);
        let length = length.with_context(|| self.file.to_owned())?;
        self.watch.bytes(length);
        Ok(length)
    }

    fn rest(&mut self, reader: &mut impl Read, text: &mut Vec<u8>) -> IoResult<()> {
        let length = reader.read_to_end(text)?;
        self.watch.bytes(length);
        Ok(())
    }

    /// JSON Lines. A broken line does not take the others with it.
    fn lines(&mut self, first: usize, reader: &mut impl BufRead) -> Result<()> {
        let mut line = Vec::new();
        for number in first.. {
            line.clear();
            if self.line(reader, &mut line)? == 0 {
                break;
            }
            let text = line.trim_ascii_end();
            if text.is_empty() {
                continue;
            }
            let value = match text.trim_ascii_start().starts_with(b"{") {
                true => self.value(number, text),
                false => Err(anyhow!("{}:{number}: no JSON object", self.file)),
            };
            if let Err(error) = value {
                self.found = true;
                self.watch.broken(error);
            }
        }
        Ok(())
    }

    /// A JSON value that begins on line `first`.
    fn value(&mut self, first: usize, text: &[u8]) -> Result<()> {
        let error = match serde_json::from_slice::<T>(text) {
            Ok(entry) => return self.hand_on(first, entry),
            Err(error) => error,
        };
        let name = &self.source.name;
        let parsed = |error| place(self.file, first, &error);
        let form: Form = serde_json::from_slice(text).map_err(parsed)?;
        if form.schema.is_some() {
            let matrix = serde_json::from_slice(text).map_err(parsed)?;
            for entry in T::of_matrix(matrix) {
                self.hand_on(first, entry)
                    .unwrap_or_else(|error| self.watch.broken(error));
            }
            return Ok(());
        }
        let (template, about) = if form.guest_cpu_config.is_some() {
            let fingerprint: Fingerprint = serde_json::from_slice(text).map_err(parsed)?;
            (fingerprint.template, fingerprint.kernel_version)
        } else if form.reg_modifiers.is_some() {
            let template: Template = serde_json::from_slice(text).map_err(parsed)?;
            (template, String::new())
        } else {
            return Err(parsed(error));
        };
        let entry = template.saved(name).and_then(|vm| T::of_fresh(vm, about));
        let entry = entry.map_err(|error| anyhow!("{}:{first}: {error}", self.file))?;
        self.hand_on(first, entry)
    }

    /// What `fw_regs_vmm dump` printed: one VM.
    fn plain(&mut self, first: usize, text: &[u8]) -> Result<()> {
        let file = self.file;
        let mut registers = Vec::new();
        for (number, line) in (first..).zip(text.split(|byte| *byte == b'\n')) {
            if line.is_empty() {
                continue;
            }
            let register = lines::line(&String::from_utf8_lossy(line));
            registers.push(register.map_err(|error| anyhow!("{file}:{number}: {error}"))?);
        }
        let vm = SavedVm::of_all(&self.source.name, registers);
        let entry = vm.and_then(|vm| T::of_fresh(vm, String::new()));
        let entry = entry.map_err(|error| anyhow!("{file}:{first}: {error}"))?;
        self.hand_on(first, entry)
    }

    /// Answers are told by name.
    fn hand_on(&mut self, line: usize, entry: T) -> Result<()> {
        let place = format!("{}:{line}", self.file);
        let name = entry.name();
        ensure!(
            !name.is_empty() && !name.contains(char::is_control),
            "{place}: {name:?} is no name: one line of text is"
        );
        self.found = true;
        (self.each)(&place, entry)
    }
}

/// The keys by which a JSON value tells what it is.
#[derive(Deserialize)]
struct Form {
    schema: Option<IgnoredAny>,
    guest_cpu_config: Option<IgnoredAny>,
    reg_modifiers: Option<IgnoredAny>,
}

/// Reads a file that is one JSON value.
pub fn whole<T: DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| place(file, 1, &error))
}

/// The error of JSON that begins on line `first` of a file.
fn place(file: &str, first: usize, error: &serde_json::Error) -> anyhow::Error {
    let (line, column) = (error.line(), error.column());
    let said = error.to_string();
    let place = format!(" at line {line} column {column}");
    let said = said.strip_suffix(&place).unwrap_or(&said);
    // Errors about the whole of the text have no place.
    let line = first + line.saturating_sub(1);
    anyhow!("{file}:{line}:{column}: {said}")
}

#[cfg(test)]
mod tests;
