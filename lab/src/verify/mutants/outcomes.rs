// SPDX-License-Identifier: GPL-2.0

//! What cargo-mutants says of each mutant, and those of them that no test can notice:
//! `lab/data/mutants.toml`.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use fs_err as fs;
use serde::Deserialize;

use crate::base::project::Project;
use crate::model::results::Case;

/// The files in which cargo-mutants lists mutants that a test notices, whose tests do not come to an
/// end as those of the unchanged source do, that do not compile, and that no test notices.
const FILES: [&str; 4] = ["caught.txt", "timeout.txt", UNVIABLE, MISSED];
const UNVIABLE: &str = "unviable.txt";
const MISSED: &str = "missed.txt";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The one of [`FILES`] that has it.
    list: &'static str,
    /// Where it is: `rust/fw_regs/vm.rs:12:5`.
    place: String,
    /// The same without lines, which move, and what is changed.
    name: String,
}

/// All mutants of a tree, from cargo-mutants' output directory.
pub fn read(out: &Path, tree: &Path) -> Result<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for list in FILES {
        for line in fs::read_to_string(out.join(list))?.lines() {
            mutants.push(parse(line, list, tree).with_context(|| format!("{list}: `{line}`"))?);
        }
    }
    let all = fs::read_to_string(out.join("mutants.json"))?;
    let all = serde_json::from_str::<Vec<serde_json::Value>>(&all)?.len();
    let tried = mutants.len();
    ensure!(
        tried == all && tried > 0,
        "{tried} of {all} mutants were tried"
    );
    mutants.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(mutants)
}

/// Reads a line such as `rust/a.rs:80:37: replace | with ^ in f`.
fn parse(line: &str, list: &'static str, tree: &Path) -> Option<Mutant> {
    let (place, change) = line.split_once(": ")?;
    let (file, position) = place.split_once(':')?;
    let file = tree.join(file);
    // Some are links to the kernel's.
    let file = file.canonicalize().unwrap_or(file);
    let file = file.strip_prefix(tree).ok()?.display();
    Some(Mutant {
        list,
        place: format!("{file}:{position}"),
        name: format!("{file}: {change}"),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survivors {
    #[serde(default)]
    survivor: Vec<Survivor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Survivor {
    mutant: String,
    reason: String,
    /// How many there are by this name.
    #[serde(default = "one")]
    count: u32,
    /// How many of them have survived.
    #[serde(skip)]
    seen: u32,
}

fn one() -> u32 {
    1
}

impl Survivors {
    pub fn load(project: &Project) -> Result<Self> {
        let path = project.root().join("lab/data/mutants.toml");
        toml::from_str(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())
    }

    /// A result for each mutant: what survives must be listed.
    pub fn judge(&mut self, mutants: Vec<Mutant>) -> Vec<Case> {
        let mut case = |Mutant { list, place, name }| match list {
            UNVIABLE => Case::skip(name, "does not compile"),
            MISSED => match self.survivor.iter_mut().find(|one| one.mutant == name) {
                Some(listed) => {
                    listed.seen += 1;
                    Case::skip(name, &listed.reason)
                }
                None => Case::fail(name, format!("{place}: no test notices it")),
            },
            _ => Case::pass(name),
        };
        mutants.into_iter().map(&mut case).collect()
    }

    /// A failure for each that is listed and does not survive, or not as often.
    pub fn stale(&self) -> Vec<Case> {
        let stale = self.survivor.iter().filter(|one| one.seen != one.count);
        let case = |one: &Survivor| {
            let cause = format!(
                "{} should survive, {} did: mend lab/data/mutants.toml",
                one.count, one.seen
            );
            Case::fail(&one.mutant, cause)
        };
        stale.map(case).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    #[test]
    fn a_mutants_line_is_read() {
        let line = "rust/a.rs:80:37: replace | with ^ in Register::id";
        let mutant = parse(line, MISSED, Path::new("/no-tree")).unwrap();
        assert_eq!(mutant.place, "rust/a.rs:80:37");
        assert_eq!(mutant.name, "rust/a.rs: replace | with ^ in Register::id");
        assert_eq!(parse("INFO", MISSED, Path::new("/no-tree")), None);
    }

    #[test]
    fn each_mutant_must_have_been_tried() {
        let dir = tempfile::tempdir().unwrap();
        for list in FILES {
            fs::write(dir.path().join(list), "").unwrap();
        }
        let line = "a.rs:1:2: replace f with ()\n";
        fs::write(dir.path().join("caught.txt"), line).unwrap();
        let read = |all| {
            fs::write(dir.path().join("mutants.json"), all).unwrap();
            read(dir.path(), Path::new("/no-tree"))
        };
        assert_eq!(read("[{}]").unwrap().len(), 1);
        assert!(read("[{}, {}]").is_err());
    }

    const LIST: &str = "
        [[survivor]]
        mutant = \"a.rs: replace | with ^ in f\"
        reason = \"the bits are disjoint\"
        count = 2
        [[survivor]]
        mutant = \"b.rs: gone\"
        reason = \"it was so\"
    ";

    #[test]
    fn survivors_must_be_listed_and_the_list_must_be_true() {
        let mut survivors: Survivors = toml::from_str(LIST).unwrap();
        let mutants = [
            ("a.rs: replace | with ^ in f", MISSED),
            ("a.rs: replace | with ^ in f", MISSED),
            ("a.rs: replace | with & in f", "caught.txt"),
            ("a.rs: replace | with ^ in g", MISSED),
            ("b.rs: gone", "timeout.txt"),
            ("b.rs: replace g with Default::default()", UNVIABLE),
        ];
        let mutants = mutants.map(|(name, list)| Mutant {
            list,
            place: String::new(),
            name: name.to_owned(),
        });
        let cases = survivors.judge(mutants.into());
        let outcomes = cases.iter().map(|case| match case.outcome {
            Outcome::Pass => '+',
            Outcome::Fail(_) => '-',
            Outcome::Skip(_) => 's',
        });
        assert_eq!(outcomes.collect::<String>(), "ss+-+s");
        let stale = survivors.stale();
        assert_eq!(stale.len(), 1);
        assert_eq!(stale[0].name, "b.rs: gone");
    }
}
