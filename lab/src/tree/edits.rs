// SPDX-License-Identifier: GPL-2.0

//! The edits to the kernel's own files that `lab/edits.toml` lists.
//!
//! Either all of them can be made or none is: their results are computed in memory, from the
//! pristine files, before anything is written.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;
use serde::Deserialize;

use super::rewrite::{self, Refusal, Side};

/// The file `lab/edits.toml`. The moves are made first, then the insertions, then the
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

/// An edit that cannot be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    file: String,
    anchor: String,
    why: Refusal,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.file, self.anchor, self.why)
    }
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
        let mut work = Work {
            files: BTreeMap::new(),
            failures: Vec::new(),
        };
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

/// Files in the middle of being edited.
struct Work {
    files: BTreeMap<String, String>,
    failures: Vec<Failure>,
}

impl Work {
    fn fail(&mut self, file: &str, anchor: &str, why: impl Into<Refusal>) {
        self.failures.push(Failure {
            file: file.to_string(),
            anchor: anchor.to_string(),
            why: why.into(),
        });
    }

    /// Changes one file by `change`, or notes why that cannot be.
    fn change(
        &mut self,
        file: &str,
        anchor: &str,
        change: impl Fn(&str) -> Result<String, Refusal>,
    ) {
        let changed = match self.files.get(file) {
            Some(text) => change(text),
            None => Err("not found: there is no such file".into()),
        };
        match changed {
            Ok(text) => drop(self.files.insert(file.to_string(), text)),
            Err(why) => self.fail(file, anchor, why),
        }
    }

    fn insert(&mut self, edit: &Insertion) {
        let (side, anchor) = match (&edit.before, &edit.after) {
            (Some(anchor), None) => (Side::Before, anchor),
            (None, Some(anchor)) => (Side::After, anchor),
            _ => return self.fail(&edit.file, &edit.text, "needs either `before` or `after`"),
        };
        let within = edit.within.as_deref();
        self.change(&edit.file, anchor, |text| match within {
            Some(name) => rewrite::within(text, name, |definition| {
                rewrite::insert(definition, side, anchor, &edit.text)
            }),
            None => rewrite::insert(text, side, anchor, &edit.text),
        });
    }

    fn replace(&mut self, edit: &Replacement) {
        self.change(&edit.file, &edit.pattern, |text| {
            rewrite::replace(text, &edit.pattern, &edit.text)
        });
    }

    fn relocate(&mut self, edit: &Move) {
        let Some(from) = self.files.get(&edit.from) else {
            return self.fail(
                &edit.from,
                &edit.names.join(", "),
                "not found: there is no such file",
            );
        };
        let (left, taken) = match rewrite::take(from, &edit.names) {
            Ok(result) => result,
            Err(refusals) => {
                for (name, why) in refusals {
                    self.fail(&edit.from, &name, why);
                }
                return;
            }
        };
        self.files.insert(edit.from.clone(), left);
        match (&edit.header, &edit.after) {
            (Some(_), None) if self.files.contains_key(&edit.to) => {
                self.fail(&edit.to, &edit.names.join(", "), "the file exists already");
            }
            (Some(header), None) => {
                self.files
                    .insert(edit.to.clone(), format!("{header}\n{taken}"));
            }
            (None, Some(anchor)) => self.change(&edit.to, anchor, |text| {
                rewrite::insert(text, Side::After, anchor, &format!("\n{taken}"))
            }),
            _ => self.fail(
                &edit.to,
                &edit.names.join(", "),
                "needs either `header` or `after`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    const EDITS: &str = r##"
[[move]]
patch = "one"
from = "a.c"
to = "new.c"
names = ["f"]
header = "/* new */\n"

[[move]]
patch = "one"
from = "a.c"
to = "a.h"
names = ["N"]
after = "#include <x.h>"

[[insert]]
patch = "one"
file = "Makefile"
after = "a"
text = "b\n"

[[insert]]
patch = "two"
file = "b.c"
within = "f"
after = "	x();"
text = "	y();\n"

[[replace]]
patch = "two"
file = "Makefile"
pattern = '^z.*'
text = "y"
"##;

    fn tree(file: &str) -> Result<Option<String>> {
        Ok(match file {
            "a.c" => Some("#define N 1\n\nint f(void)\n{\n}\n\nint g;\n".into()),
            "a.h" => Some("#include <x.h>\n\nint g;\n".into()),
            "Makefile" => Some("a\nz z\n".into()),
            "b.c" => Some("int g(void)\n{\n\tx();\n}\n\nint f(void)\n{\n\tx();\n}\n".into()),
            _ => None,
        })
    }

    #[test]
    fn all_kinds_together() {
        let edits: Edits = toml::from_str(EDITS).unwrap();
        let files = edits.apply(tree).unwrap().unwrap();
        let expected = [
            ("Makefile", "a\nb\ny\n"),
            ("a.c", "int g;\n"),
            ("a.h", "#include <x.h>\n\n#define N 1\n\nint g;\n"),
            (
                "b.c",
                "int g(void)\n{\n\tx();\n}\n\nint f(void)\n{\n\tx();\n\ty();\n}\n",
            ),
            ("new.c", "/* new */\n\nint f(void)\n{\n}\n"),
        ];
        let expected = expected.map(|(file, text)| (file.to_string(), text.to_string()));
        assert_eq!(files, BTreeMap::from(expected));
    }

    #[test]
    fn a_patch_of_the_series_has_its_own_edits() {
        let edits = r#"
            [[insert]]
            patch = "one"
            until = "two"
            file = "Makefile"
            after = "a"
            text = "for now\n"

            [[lines]]
            file = "Makefile"
            before = "z z"
            lines = [["one", "b"], ["two", "c"], ["one", "d"]]
            "#;
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), edits).unwrap();
        let edits = Edits::load(file.path()).unwrap();
        assert!(edits.patches().all(|patch| ["one", "two"].contains(&patch)));

        let makefile = |there: &[&str]| {
            let edits = edits.of(|patch| there.contains(&patch));
            edits.apply(tree).unwrap().unwrap().remove("Makefile")
        };
        assert_eq!(makefile(&[]), None);
        assert_eq!(makefile(&["one"]).unwrap(), "a\nfor now\nb\nd\nz z\n");
        assert_eq!(makefile(&["one", "two"]).unwrap(), "a\nb\nc\nd\nz z\n");
    }

    #[test]
    fn every_failure_is_told() {
        let edits: Edits = toml::from_str(EDITS).unwrap();
        let other = |file: &str| {
            Ok(match file {
                "a.c" => Some("int f(void);\n".into()),
                "Makefile" => Some("a\na\n".into()),
                "b.c" => Some("int g(void)\n{\n\tx();\n}\n".into()),
                _ => None,
            })
        };
        let failures = edits.apply(other).unwrap().unwrap_err();
        let failures: Vec<String> = failures.iter().map(Failure::to_string).collect();
        assert_eq!(
            failures,
            [
                "a.c: `f` not found",
                "a.c: `N` not found",
                "Makefile: `a` found 2 times, not once",
                "b.c: `	x();` in `f`, which was not found",
                "Makefile: `^z.*` not found",
            ]
        );
    }

    #[test]
    fn a_new_file_must_be_new() {
        let edits: Edits = toml::from_str(EDITS).unwrap();
        let full = |file: &str| tree(if file == "new.c" { "a.c" } else { file });
        let failures = edits.apply(full).unwrap().unwrap_err();
        assert_eq!(
            failures[0].to_string(),
            "new.c: `f` the file exists already"
        );
    }

    #[test]
    fn our_list_can_be_read() {
        Edits::load(&Project::here().root().join("lab/edits.toml")).unwrap();
    }
}
