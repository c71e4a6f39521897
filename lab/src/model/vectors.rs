// SPDX-License-Identifier: GPL-2.0

//! What the program `fw_regs_vectors` prints: a kernel's answer to each vector of a fixed stream,
//! run-length encoded (the program's source describes the format).
//!
//! The encoding is lossless, and that is checked: a hole, an overlap or a missing end would hide
//! vectors from the comparison.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{bail, ensure, Context, Result};

use crate::model::registers::{hex, Id};

/// How a kernel answers one vector, a set and then a get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `0`, or the errno's name.
    pub set: String,
    pub get: String,
    /// `same` as was set, another value, or `-` if get failed.
    pub read: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { set, get, read } = self;
        write!(f, "set {set}, get {get}, read {read}")
    }
}

/// Vectors in a row with the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Of the first vector.
    pub index: u64,
    pub count: u64,
    /// What the first vector sets.
    pub first: u64,
    pub answer: Answer,
}

/// One register in one setup.
pub type Stream = (String, Id);

/// All answers of a kernel on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vectors {
    /// Seed and number of the vectors: only equal ones can be compared.
    pub header: String,
    pub runs: BTreeMap<Stream, Vec<Run>>,
    /// Setups that the host cannot provide, with the reason.
    pub skipped: BTreeMap<String, String>,
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
        let mut lines = text
            .lines()
            .enumerate()
            .skip_while(|(_, line)| !line.starts_with("vectors "));
        let (_, header) = lines.next().context("no line `vectors`")?;
        ensure!(
            header.starts_with("vectors 1 "),
            "`{header}`: an unknown version of the format"
        );

        let mut vectors = Self {
            header: header.to_owned(),
            runs: BTreeMap::new(),
            skipped: BTreeMap::new(),
            total: 0,
        };
        for (index, line) in lines.by_ref() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["run", setup, id, ref run @ ..] => vectors.run(setup, id, run),
                ["skip", setup, ..] => vectors.skip(setup, line),
                ["end", total] => {
                    vectors.end(total)?;
                    return Ok(vectors);
                }
                _ => Err(anyhow::anyhow!("neither a run nor a skip nor the end")),
            }
            .with_context(|| format!("line {}: `{line}`", index + 1))?;
        }
        bail!("no line `end`");
    }

    fn run(&mut self, setup: &str, id: &str, words: &[&str]) -> Result<()> {
        let [index, count, first, set, get, read] = *words else {
            bail!("not as many words as a run has");
        };
        let run = Run {
            index: index.parse().context("index")?,
            count: count.parse().context("count")?,
            first: hex(first).context("first value")?,
            answer: Answer {
                set: set.to_owned(),
                get: get.to_owned(),
                read: read.to_owned(),
            },
        };
        let runs = self
            .runs
            .entry((setup.to_owned(), hex(id).context("id")?))
            .or_default();

        let expected = runs.last().map_or(0, |last| last.index + last.count);
        ensure!(
            run.index == expected,
            "vector {expected} should be next: a hole or an overlap"
        );
        ensure!(run.count > 0, "an empty run");
        self.total += run.count;
        runs.push(run);
        Ok(())
    }

    fn skip(&mut self, setup: &str, line: &str) -> Result<()> {
        let known = self.skipped.insert(setup.to_owned(), line.to_owned());
        ensure!(known.is_none(), "skipped twice");
        Ok(())
    }

    fn end(&self, total: &str) -> Result<()> {
        ensure!(
            total == self.total.to_string(),
            "{total} vectors were run, {} are here",
            self.total
        );
        ensure!(self.total > 0, "no vectors");
        if let Some((setup, _)) = self
            .runs
            .keys()
            .find(|(setup, _)| self.skipped.contains_key(setup))
        {
            bail!("setup {setup} was skipped and run");
        }
        Ok(())
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
    pub answers: [Answer; 2],
}

/// All vectors that the two sides answer differently, as maximal intervals.
///
/// # Errors
///
/// The two did not run the same vectors.
pub fn compare(a: &Vectors, b: &Vectors) -> Result<Vec<Difference>> {
    ensure!(
        a.header == b.header,
        "not the same vectors: `{}` and `{}`",
        a.header,
        b.header
    );
    ensure!(
        a.skipped == b.skipped,
        "not the same setups skipped: {:?} and {:?}",
        a.skipped,
        b.skipped
    );
    ensure!(
        a.runs.keys().eq(b.runs.keys()),
        "not the same setups and registers"
    );

    let mut differences = Vec::new();
    for ((stream, a), b) in a.runs.iter().zip(b.runs.values()) {
        compare_stream(stream, a, b, &mut differences)
            .with_context(|| format!("setup {}, register {:#x}", stream.0, stream.1))?;
    }
    Ok(differences)
}

fn compare_stream(
    (setup, id): &Stream,
    a: &[Run],
    b: &[Run],
    differences: &mut Vec<Difference>,
) -> Result<()> {
    let end = |runs: &[Run]| runs.last().map_or(0, |run| run.index + run.count);
    ensure!(end(a) == end(b), "not the same number of vectors");

    let (mut a_runs, mut b_runs) = (a.iter().peekable(), b.iter().peekable());
    let mut index = 0;
    // Both cover the same vectors without a hole: they end together.
    while let (Some(a), Some(b)) = (a_runs.peek(), b_runs.peek()) {
        let first = match (a.index == index, b.index == index) {
            (true, true) => {
                ensure!(a.first == b.first, "vector {index} is not the same");
                a.first
            }
            (true, false) => a.first,
            (false, _) => b.first,
        };
        let next = (a.index + a.count).min(b.index + b.count);
        let difference = (a.answer != b.answer).then(|| Difference {
            setup: setup.clone(),
            id: *id,
            index,
            count: next - index,
            first,
            answers: [a.answer.clone(), b.answer.clone()],
        });
        if let Some(difference) = difference {
            add(differences, difference);
        }

        index = next;
        a_runs.next_if(|run| run.index + run.count == next);
        b_runs.next_if(|run| run.index + run.count == next);
    }
    Ok(())
}

/// Adds a difference, as part of the last one where that goes on.
fn add(differences: &mut Vec<Difference>, new: Difference) {
    match differences.last_mut() {
        Some(last)
            if last.index + last.count == new.index
                && (&last.setup, last.id) == (&new.setup, new.id)
                && last.answers == new.answers =>
        {
            last.count += new.count;
        }
        _ => differences.push(new),
    }
}

#[cfg(test)]
mod tests;
