// SPDX-License-Identifier: GPL-2.0

//! The edits to the kernel's own files that `lab/data/edits.toml` lists.
//!
//! Either all of them can be made or none is: their results are computed in memory, from the
//! pristine files, before anything is written.

mod work;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;
use serde::Deserialize;

pub use work::Failure;
use work::Work;

/// The file `lab/data/edits.toml`. The moves are made first, then the insertions, then the
/// replacements; each kind in the order of the file, but single lines after other insertions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Edits {
    #[serde(rename = "move")]
    moves: Vec<Move>,
    #[serde(rename = "insert")]
    insertions: Vec<Insertion>,
    #[serde(rename = "lines")]
    lines: Vec<Lines>,
    #[serde(rename = "replace")]
    replacements: Vec<Replacement>,
}

/// Named C definitions go from one file to another.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    /// None in a list that is not of the series.
    #[serde(default)]
    patch: String,
    from: String,
    to: String,
    names: Vec<String>,
    /// Where `to` is a new file: the text that it begins with.
    header: Option<String>,
    /// Where `to` exists: the line after which they are put, with an empty line between.
    after: Option<String>,
}

/// Lines of ours are put beside a line.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Insertion {
    #[serde(default)]
    patch: String,
    /// The patch that takes it back.
    until: Option<String>,
    file: String,
    /// The C definition in which the line is looked for; in the whole file if not given.
    within: Option<String>,
    before: Option<String>,
    after: Option<String>,
    text: String,
}

/// Lines of several patches, each put before the same line of a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    file: String,
    before: String,
    /// Patch and line.
    lines: Vec<(String, String)>,
}

impl Lines {
    fn insertions(&self) -> impl Iterator<Item = Insertion> + '_ {
        self.lines.iter().map(|(patch, line)| Insertion {
            patch: patch.clone(),
            until: None,
            file: self.file.clone(),
            within: None,
            before: Some(self.before.clone()),
            after: None,
            text: format!("{line}\n"),
        })
    }
}

/// A text of ours is put in the place of what a pattern matches.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Replacement {
    #[serde(default)]
    patch: String,
    file: String,
    pattern: String,
    text: String,
}

impl Edits {
    pub fn load(file: &Path) -> Result<Self> {
        let mut edits: Self = toml::from_str(&fs::read_to_string(file)?)
            .with_context(|| format!("cannot read {}", file.display()))?;
        let lines = std::mem::take(&mut edits.lines);
        let lines = lines.iter().flat_map(Lines::insertions);
        edits.insertions.extend(lines);
        Ok(edits)
    }

    /// Those that are made where these patches of the series are there.
    pub fn of(&self, there: impl Fn(&str) -> bool) -> Self {
        let inserted =
            |edit: &&Insertion| there(&edit.patch) && !edit.until.as_deref().is_some_and(&there);
        let moves = self.moves.iter().filter(|edit| there(&edit.patch));
        let replacements = self.replacements.iter().filter(|edit| there(&edit.patch));
        Self {
            moves: moves.cloned().collect(),
            insertions: self.insertions.iter().filter(inserted).cloned().collect(),
            lines: Vec::new(),
            replacements: replacements.cloned().collect(),
        }
    }

    /// The patches of the series that they name.
    pub fn patches(&self) -> impl Iterator<Item = &str> {
        let moves = self.moves.iter().map(|edit| &edit.patch);
        let insertions = self.insertions.iter();
        let insertions = insertions.flat_map(|edit| [Some(&edit.patch), edit.until.as_ref()]);
        let replacements = self.replacements.iter().map(|edit| &edit.patch);
        let all = moves.chain(insertions.flatten()).chain(replacements);
        all.map(String::as_str)
    }

    /// The edited files by path, computed from the texts that `pristine` gives; or everything that
    /// stands against it.
    pub fn apply(
        &self,
        pristine: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Result<BTreeMap<String, String>, Vec<Failure>>> {
        let mut work = Work::default();
        let from = self.moves.iter().flat_map(|edit| [&edit.from, &edit.to]);
        let files = from
            .chain(self.insertions.iter().map(|edit| &edit.file))
            .chain(self.replacements.iter().map(|edit| &edit.file));
        for file in files {
            if let (false, Some(text)) = (work.files.contains_key(file), pristine(file)?) {
                work.files.insert(file.clone(), text);
            }
        }
        self.moves.iter().for_each(|edit| work.relocate(edit));
        self.insertions.iter().for_each(|edit| work.insert(edit));
        self.replacements.iter().for_each(|edit| work.replace(edit));
        Ok(match work.failures.is_empty() {
            true => Ok(work.files),
            false => Err(work.failures),
        })
    }
}

#[cfg(test)]
mod tests;
