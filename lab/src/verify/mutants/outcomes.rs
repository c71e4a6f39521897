// SPDX-License-Identifier: GPL-2.0

//! What cargo-mutants says of each mutant.

use std::path::Path;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use fs_err as fs;
use regex::Regex;

/// A mutant by its place in the source and by what is changed there.
static MUTANT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(\S+?):(\d+):(\d+): (.*)$").expect("a valid pattern"));

static FOUND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^Found (\d+) mutants? to test").expect("a valid pattern"));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A test fails.
    Caught,
    /// The tests do not come to an end, as those of the unchanged source do.
    Timeout,
    /// It does not compile.
    Unviable,
    /// All tests pass.
    Missed,
}

/// The files in which cargo-mutants lists them.
const FILES: [(&str, Fate); 4] = [
    ("caught.txt", Fate::Caught),
    ("timeout.txt", Fate::Timeout),
    ("unviable.txt", Fate::Unviable),
    ("missed.txt", Fate::Missed),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// Where it is: `rust/fw_regs/vm.rs:12:5`.
    pub place: String,
    /// The same without lines, which move, and what is changed.
    pub name: String,
    pub fate: Fate,
}

/// How many mutants there are, where a line says so.
pub fn found(line: &str) -> Option<u64> {
    FOUND.captures(line)?[1].parse().ok()
}

/// Whether a line tells of a mutant's fate.
pub fn is_told(line: &str) -> bool {
    ["caught ", "MISSED ", "TIMEOUT ", "unviable "]
        .iter()
        .any(|word| line.starts_with(word))
}

/// What became of the mutants of a tree, from cargo-mutants' output directory.
pub fn load(out: &Path, tree: &Path) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for (file, fate) in FILES {
        for line in fs::read_to_string(out.join(file))?.lines() {
            mutants.push(parse(line, fate, tree).with_context(|| format!("{file}: `{line}`"))?);
        }
    }
    let all: Vec<serde_json::Value> =
        serde_json::from_str(&fs::read_to_string(out.join("mutants.json"))?)?;
    anyhow::ensure!(
        mutants.len() == all.len(),
        "{} of {} mutants were tried",
        mutants.len(),
        all.len()
    );
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

fn parse(line: &str, fate: Fate, tree: &Path) -> Option<Mutant> {
    let found = MUTANT.captures(line)?;
    let file = tree.join(&found[1]);
    // Some are links to the kernel's.
    let file = file.canonicalize().unwrap_or(file);
    let file = file.strip_prefix(tree).ok()?.display();
    Some(Mutant {
        place: format!("{file}:{}:{}", &found[2], &found[3]),
        name: format!("{file}: {}", &found[4]),
        fate,
    })
}

/// How many there are of each kind.
pub fn sum(mutants: &[Mutant]) -> String {
    let count = |fate| mutants.iter().filter(|mutant| mutant.fate == fate).count();
    format!(
        "{} mutants: {} caught, {} do not end, {} missed, {} do not compile",
        mutants.len(),
        count(Fate::Caught),
        count(Fate::Timeout),
        count(Fate::Missed),
        count(Fate::Unviable),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutants_line_is_read() {
        let line = "rust/a.rs:80:37: replace | with ^ in Register::id";
        let mutant = parse(line, Fate::Missed, Path::new("/no-tree")).unwrap();
        assert_eq!(mutant.place, "rust/a.rs:80:37");
        assert_eq!(mutant.name, "rust/a.rs: replace | with ^ in Register::id");
        assert_eq!(parse("INFO", Fate::Missed, Path::new("/no-tree")), None);
    }

    #[test]
    fn progress_is_read() {
        assert_eq!(found("Found 121 mutants to test"), Some(121));
        assert!(is_told(
            "MISSED   a.rs:1:2: replace f in 0s build + 2s test"
        ));
        assert!(!is_told(
            "ok       Unmutated baseline in 25s build + 2s test"
        ));
    }
}
