// SPDX-License-Identifier: GPL-2.0

//! The edits to the kernel's own files that `lab/data/edits.toml` lists.
//!
//! Either all of them can be made or none is: their results are computed in memory, from the
//! pristine files, before anything is written.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;
use serde::Deserialize;

use super::rewrite::{self, Side};

/// The edits in the order in which they are made: the replacements first, then the moves, then the
/// insertions; each kind in the order of the file, but single lines after other insertions. So an
/// early patch can change what a later one moves.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "List")]
pub struct Edits {
    replacements: Vec<Change>,
    moves: Vec<Move>,
    insertions: Vec<Change>,
}

/// The file `lab/data/edits.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(default, rename = "move")]
    moves: Vec<Move>,
    #[serde(default)]
    insert: Vec<Change>,
    #[serde(default)]
    lines: Vec<Lines>,
    #[serde(default)]
    replace: Vec<Change>,
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

/// A text of ours is put before or after a line, or in the place of what a pattern matches.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Change {
    patch: String,
    /// The patch that takes it back.
    until: Option<String>,
    file: String,
    /// The C definition in which the place is looked for; in the whole file if not given.
    within: Option<String>,
    before: Option<String>,
    after: Option<String>,
    pattern: Option<String>,
    text: String,
}

/// Lines of several patches, each put before the same line of a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lines {
    file: String,
    before: String,
    /// Patch and line.
    lines: Vec<(String, String)>,
}

impl From<List> for Edits {
    fn from(list: List) -> Self {
        let mut insertions = list.insert;
        for Lines {
            file,
            before,
            lines,
        } in list.lines
        {
            insertions.extend(lines.into_iter().map(|(patch, line)| Change {
                patch,
                file: file.clone(),
                before: Some(before.clone()),
                text: line + "\n",
                ..Change::default()
            }));
        }
        Self {
            replacements: list.replace,
            moves: list.moves,
            insertions,
        }
    }
}

impl Edits {
    pub fn load(file: &Path) -> Result<Self> {
        toml::from_str(&fs::read_to_string(file)?)
            .with_context(|| format!("cannot read {}", file.display()))
    }

    /// Those that are made where these patches of the series are there.
    pub fn of(&self, there: impl Fn(&str) -> bool) -> Self {
        let is_made =
            |edit: &&Change| there(&edit.patch) && !edit.until.as_deref().is_some_and(&there);
        let moves = self.moves.iter().filter(|edit| there(&edit.patch));
        Self {
            replacements: self.replacements.iter().filter(is_made).cloned().collect(),
            moves: moves.cloned().collect(),
            insertions: self.insertions.iter().filter(is_made).cloned().collect(),
        }
    }

    /// The patches of the series that they name.
    pub fn patches(&self) -> impl Iterator<Item = &str> {
        let moves = self.moves.iter().map(|edit| &edit.patch);
        let changes = self.replacements.iter().chain(&self.insertions);
        let changes = changes.flat_map(|edit| [Some(&edit.patch), edit.until.as_ref()]);
        moves.chain(changes.flatten()).map(String::as_str)
    }

    /// The edited files by path, computed from the texts that `pristine` gives; or everything that
    /// stands against it.
    pub fn apply(
        &self,
        pristine: impl Fn(&str) -> Result<Option<String>>,
    ) -> Result<Result<BTreeMap<String, String>, Vec<String>>> {
        let mut files = BTreeMap::new();
        let moved = self.moves.iter().flat_map(|edit| [&edit.from, &edit.to]);
        let changes = self.replacements.iter().chain(&self.insertions);
        for file in moved.chain(changes.map(|edit| &edit.file)) {
            if let (false, Some(text)) = (files.contains_key(file), pristine(file)?) {
                files.insert(file.clone(), text);
            }
        }
        let mut failures = Vec::new();
        for edit in &self.replacements {
            failures.extend(edit.make(&mut files).err());
        }
        for edit in &self.moves {
            failures.extend(edit.make(&mut files).err().into_iter().flatten());
        }
        for edit in &self.insertions {
            failures.extend(edit.make(&mut files).err());
        }
        Ok(match failures.is_empty() {
            true => Ok(files),
            false => Err(failures),
        })
    }
}

impl Move {
    fn make(&self, files: &mut BTreeMap<String, String>) -> Result<(), Vec<String>> {
        let Self { from, to, .. } = self;
        let source = files.get(from).ok_or_else(|| vec![is_missing(from)])?;
        let (left, taken) = rewrite::take(source, &self.names).map_err(|failures| {
            let failures = failures.iter().map(|why| format!("{from}: {why}"));
            failures.collect::<Vec<_>>()
        })?;
        let made = match (&self.header, &self.after, files.get(to)) {
            (Some(header), None, None) => format!("{header}\n{taken}"),
            (Some(_), None, Some(_)) => return Err(vec![format!("{to}: the file exists already")]),
            (None, Some(_), None) => return Err(vec![is_missing(to)]),
            (None, Some(anchor), Some(text)) => {
                rewrite::insert(text, Side::After, anchor, &format!("\n{taken}"))
                    .map_err(|why| vec![format!("{to}: {why}")])?
            }
            _ => return Err(vec![format!("{to}: needs either `header` or `after`")]),
        };
        files.insert(from.clone(), left);
        files.insert(to.clone(), made);
        Ok(())
    }
}

impl Change {
    fn make(&self, files: &mut BTreeMap<String, String>) -> Result<(), String> {
        let file = &self.file;
        let text = files.get_mut(file).ok_or_else(|| is_missing(file))?;
        let change = |text: &str| match (&self.before, &self.after, &self.pattern) {
            (Some(line), None, None) => rewrite::insert(text, Side::Before, line, &self.text),
            (None, Some(line), None) => rewrite::insert(text, Side::After, line, &self.text),
            (None, None, Some(pattern)) => rewrite::replace(text, pattern, &self.text),
            _ => Err("an edit needs either `before`, `after` or `pattern`".to_owned()),
        };
        let changed = match &self.within {
            Some(name) => rewrite::within(text, name, change),
            None => change(text),
        };
        *text = changed.map_err(|why| format!("{file}: {why}"))?;
        Ok(())
    }
}

fn is_missing(file: &str) -> String {
    format!("{file}: there is no such file")
}

#[cfg(test)]
mod tests;
