// SPDX-License-Identifier: GPL-2.0

//! Mistakes that a VMM can make when it restores a VM, as `lab/data/mistakes.toml` describes them.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::base::project::Project;
use crate::model::dump::Dump;
use crate::model::reason::Reason;
use crate::model::registers::{hex, Id};
use crate::model::stream::Stream;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    pub name: String,
    /// What went wrong.
    pub story: String,
    /// Options by which a VM is saved.
    #[serde(default)]
    pub save: String,
    /// Options by which it is restored.
    #[serde(default)]
    pub restore: String,
    /// What becomes of the saved registers.
    #[serde(default)]
    lines: Vec<Line>,
    /// Why every host shall refuse it to a strict VM.
    pub reasons: BTreeSet<Reason>,
}

/// What a register has, or that its value is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Line(Id, Option<u64>);

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (id, value) = text.split_once(' ').unwrap_or_default();
        match (hex(id), hex(value), value) {
            (Some(id), None, "-") => Ok(Self(id, None)),
            (Some(id), Some(value), _) => Ok(Self(id, Some(value))),
            _ => Err(format!("`{text}` is not a register")),
        }
    }
}

impl Mistake {
    /// What the VMM makes of a VM that it saved.
    pub fn stream(&self, dump: &Dump) -> Stream {
        let mut stream = Stream {
            name: self.name.clone(),
            ..dump.stream()
        };
        for Line(id, value) in &self.lines {
            match stream.registers.iter_mut().find(|(found, _)| found == id) {
                Some((_, old)) => *old = *value,
                None => stream.registers.push((*id, *value)),
            }
        }
        stream
    }
}

/// All mistakes, in the order of the file.
pub fn load(project: &Project) -> Result<Vec<Mistake>> {
    let path = project.root().join("lab/data/mistakes.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

fn parse(text: &str) -> Result<Vec<Mistake>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        mistake: Vec<Mistake>,
    }
    Ok(toml::from_str::<File>(text)?.mistake)
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

        // Names become words of the console protocol.
        let names: BTreeSet<&str> = mistakes.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), mistakes.len());
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        assert!(names.iter().all(|name| name.chars().all(is_word)));
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
            (
                &format!("{mistake}lines = ['0x1']"),
                "`0x1` is not a register",
            ),
            (&format!("{mistake}lines = ['0x1 2']"), "is not a register"),
            (&mistake.replace("[]", "['whim']"), "`whim` is no reason"),
        ];
        for (text, message) in cases {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{text:?}: {error}");
        }
    }
}
