// SPDX-License-Identifier: GPL-2.0

//! What the program `fw_regs_vectors` prints: a kernel's answer to each vector of a fixed sequence,
//! run-length encoded (the program's source describes the format).
//!
//! The encoding is lossless, and that is checked: a hole, an overlap or a missing end would hide
//! vectors from the comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anyhow::{bail, ensure, Context, Result};

use crate::model::registers::{hex, Id};

/// How a kernel answers one vector, a set and then a get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetGet {
    /// `0`, or the errno's name.
    pub set: String,
    pub get: String,
    /// `same` as was set, another value, or `-` if get failed.
    pub read: String,
}

impl fmt::Display for SetGet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, get, read } = self;
        write!(f, "set {set}, get {get}, read {read}")
    }
}

/// Vectors in a row with the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    /// Of the first vector.
    index: u64,
    count: u64,
    /// What the first vector sets.
    first: u64,
    answer: SetGet,
}

/// All answers of a kernel on a host.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Vectors {
    /// Seed and number of the vectors: only equal ones can be compared.
    header: String,
    /// By setup and register.
    runs: BTreeMap<(String, Id), Vec<Run>>,
    /// Setups that the host cannot provide, with the reason.
    skipped: BTreeMap<String, String>,
    /// How many vectors there are.
    pub total: u64,
}

impl Vectors {
    /// Reads the program's output. Lines before the first of the format are the test library's.
    ///
    /// # Errors
    ///
    /// Anything that is not whole.
    pub fn parse(text: &str) -> Result<Self> {
        let lines = text.lines().enumerate();
        let mut lines = lines.skip_while(|(_, line)| !line.starts_with("vectors "));
        let (_, header) = lines.next().context("no line `vectors`")?;
        ensure!(
            header.starts_with("vectors 1 "),
            "`{header}`: an unknown version of the format"
        );
        let mut vectors = Self {
            header: header.to_owned(),
            ..Self::default()
        };
        for (index, line) in lines {
            let ended = vectors.line(line);
            if ended.with_context(|| format!("line {}: `{line}`", index + 1))? {
                return Ok(vectors);
            }
        }
        bail!("no line `end`");
    }

    /// Takes one line. Returns whether it is the last.
    fn line(&mut self, line: &str) -> Result<bool> {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["run", setup, id, index, count, first, set, get, read] => {
                let run = Run {
                    index: index.parse().context("index")?,
                    count: count.parse().context("count")?,
                    first: hex(first).context("first value")?,
                    answer: SetGet {
                        set: set.to_owned(),
                        get: get.to_owned(),
                        read: read.to_owned(),
                    },
                };
                let key = (setup.to_owned(), hex(id).context("id")?);
                let runs = self.runs.entry(key).or_default();
                let expected = end(runs);
                ensure!(
                    run.index == expected,
                    "vector {expected} should be next: a hole or an overlap"
                );
                ensure!(run.count > 0, "an empty run");
                self.total += run.count;
                runs.push(run);
                Ok(false)
            }
            ["skip", setup, ..] => {
                self.skipped.insert(setup.to_owned(), line.to_owned());
                Ok(false)
            }
            ["end", total] => {
                ensure!(
                    total == self.total.to_string(),
                    "{total} vectors were run, {} are here",
                    self.total
                );
                ensure!(self.total > 0, "no vectors");
                for (setup, _) in self.runs.keys() {
                    let both = self.skipped.contains_key(setup);
                    ensure!(!both, "setup {setup} was skipped and run");
                }
                Ok(true)
            }
            _ => bail!("neither a run nor a skip nor the end"),
        }
    }
}

/// Vectors in a row with one pair of different answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub setup: String,
    pub id: Id,
    pub index: u64,
    pub count: u64,
    /// What the first vector sets.
    pub first: u64,
    /// The answers of the two sides, as they are compared.
    pub answers: [SetGet; 2],
}

/// All vectors that the two sides answer differently, as maximal intervals.
///
/// # Errors
///
/// The two did not run the same vectors.
pub fn compare(a: &Vectors, b: &Vectors) -> Result<Vec<Difference>> {
    for (what, same) in [
        ("vectors", a.header == b.header),
        ("setups skipped", a.skipped == b.skipped),
        ("setups and registers", a.runs.keys().eq(b.runs.keys())),
    ] {
        ensure!(same, "not the same {what}");
    }
    let mut differences = Vec::new();
    for (((setup, id), a), b) in a.runs.iter().zip(b.runs.values()) {
        let found = compare_runs(setup, *id, a, b)
            .with_context(|| format!("setup {setup}, register {id:#x}"))?;
        differences.extend(found);
    }
    Ok(differences)
}

fn compare_runs(setup: &str, id: Id, a: &[Run], b: &[Run]) -> Result<Vec<Difference>> {
    ensure!(end(a) == end(b), "not the same number of vectors");
    // Between two borders, neither side's answer changes.
    let borders: BTreeSet<u64> = a.iter().chain(b).map(|run| run.index).collect();
    let ends = borders.iter().skip(1).copied().chain([end(a)]);
    let mut differences: Vec<Difference> = Vec::new();
    for (&index, next) in borders.iter().zip(ends) {
        let (a, b) = (run_at(a, index), run_at(b, index));
        ensure!(
            a.index != b.index || a.first == b.first,
            "vector {index} is not the same"
        );
        if a.answer == b.answer {
            continue;
        }
        let answers = [a.answer.clone(), b.answer.clone()];
        match differences.last_mut() {
            Some(last) if last.index + last.count == index && last.answers == answers => {
                last.count = next - last.index;
            }
            _ => differences.push(Difference {
                setup: setup.to_owned(),
                id,
                index,
                count: next - index,
                // The one that begins later begins here.
                first: if a.index == index { a.first } else { b.first },
                answers,
            }),
        }
    }
    Ok(differences)
}

/// The index after the last vector.
fn end(runs: &[Run]) -> u64 {
    runs.last().map_or(0, |run| run.index + run.count)
}

/// The run that has a vector; the first one begins with the first vector.
fn run_at(runs: &[Run], index: u64) -> &Run {
    &runs[runs.partition_point(|run| run.index <= index) - 1]
}

#[cfg(test)]
mod tests;
