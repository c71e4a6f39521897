// SPDX-License-Identifier: GPL-2.0

//! Mistakes that a VMM can make when it restores a VM, as `lab/data/mistakes.toml` describes them.

use std::collections::BTreeSet;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::base::project::Project;
use crate::model::dump::Dump;
use crate::model::reason::Reason;
use crate::model::registers::{hex, Id};
use crate::model::stream::Stream;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub name: String,
    /// What went wrong.
    pub story: String,
    /// Options by which a VM is saved.
    pub save: String,
    /// Options by which it is restored.
    pub restore: String,
    /// What becomes of the saved registers.
    changes: Vec<(Id, Option<u64>)>,
    /// Why every host shall refuse it to a strict VM.
    pub reasons: BTreeSet<Reason>,
}

impl Mistake {
    /// What the VMM makes of a VM that it saved.
    pub fn stream(&self, dump: &Dump) -> Stream {
        let mut stream = Stream {
            name: self.name.clone(),
            ..dump.stream()
        };
        for (id, value) in &self.changes {
            match stream.registers.iter_mut().find(|(found, _)| found == id) {
                Some((_, old)) => *old = *value,
                None => stream.registers.push((*id, *value)),
            }
        }
        stream
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mistake: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    story: String,
    #[serde(default)]
    save: String,
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default)]
    restore: String,
    reasons: Vec<String>,
}

/// All mistakes, in the order of the file.
pub fn load(project: &Project) -> Result<Vec<Mistake>> {
    let path = project.root().join("lab/data/mistakes.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Mistake>> {
    let mut names = BTreeSet::new();
    toml::from_str::<File>(text)?
        .mistake
        .into_iter()
        .map(|entry| {
            let name = entry.name.clone();
            ensure!(names.insert(name.clone()), "two mistakes named `{name}`");
            mistake(entry).with_context(|| format!("mistake `{name}`"))
        })
        .collect()
}

fn mistake(entry: Entry) -> Result<Mistake> {
    // Names become words of the console protocol.
    ensure!(
        !entry.name.is_empty()
            && entry
                .name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-'),
        "a name has letters, digits and `-` only"
    );
    let changes = entry
        .lines
        .iter()
        .map(|line| change(line).with_context(|| format!("`{line}` is not a register")));
    let reasons = entry
        .reasons
        .iter()
        .map(|text| Reason::from_text(text).with_context(|| format!("no reason is `{text}`")));
    Ok(Mistake {
        changes: changes.collect::<Result<_>>()?,
        reasons: reasons.collect::<Result<_>>()?,
        name: entry.name,
        story: entry.story,
        save: entry.save,
        restore: entry.restore,
    })
}

fn change(line: &str) -> Option<(Id, Option<u64>)> {
    let (id, value) = line.split_once(' ')?;
    let value = match value {
        "-" => None,
        value => Some(hex(value)?),
    };
    Some((hex(id)?, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mistakes_of_the_project_meet_every_reason() {
        let mistakes = load(&Project::here()).unwrap();
        let met: BTreeSet<Reason> = mistakes
            .iter()
            .flat_map(|mistake| mistake.reasons.clone())
            .collect();
        assert_eq!(met, Reason::ALL.into_iter().collect());
    }

    #[test]
    fn lines_replace_and_add() {
        let text = "[[mistake]]\nname = 'a'\nstory = 'b'\nreasons = ['malformed']\n\
                    lines = ['0x2 -', '0x3 0x9']\n";
        let mistakes = parse(text).unwrap();
        let dump = Dump {
            source: "host".to_owned(),
            registers: vec![(1, 5), (2, 6)],
        };
        let stream = mistakes[0].stream(&dump);
        assert_eq!(stream.name, "a");
        assert_eq!(stream.registers, [(1, Some(5)), (2, None), (3, Some(9))]);
    }

    #[test]
    fn bad_files_are_refused() {
        let mistake = "[[mistake]]\nname = 'a'\nstory = 'b'\nreasons = []\n";
        let cases = [
            ("", "missing field `mistake`"),
            (&format!("{mistake}word = 1"), "unknown field `word`"),
            (&format!("{mistake}{mistake}"), "two mistakes named `a`"),
            (
                &format!("{mistake}lines = ['0x1']"),
                "`0x1` is not a register",
            ),
            (&format!("{mistake}lines = ['0x1 2']"), "is not a register"),
            (&mistake.replace("[]", "['whim']"), "no reason is `whim`"),
            (&mistake.replace("'a'", "'a b'"), "letters, digits"),
        ];
        for (text, message) in cases {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }
}
