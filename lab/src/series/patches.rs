// SPDX-License-Identifier: GPL-2.0

//! The parts of the series and their patches, `lab/series/patches.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{bail, ensure, Result};
use glob::Pattern;
use serde::Deserialize;

use crate::build::tree::edits::Edits;

/// As wide as a line of a commit's message may be.
#[cfg(test)]
pub const COLUMNS: usize = 72;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    part: Vec<Part>,
}

/// Patches that are sent, and taken, together: they are on top of those of the parts before.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its cover letter is `lab/series/NAME.txt`.
    pub name: String,
    #[serde(rename = "patch")]
    pub patches: Vec<Patch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    pub name: String,
    pub subject: String,
    pub body: String,
    /// Patterns of paths in the kernel tree.
    #[serde(default)]
    files: Vec<String>,
    /// Whether it changes files of ours that earlier patches add: `lab/series/changes/NAME.diff`.
    #[serde(default)]
    pub changes: bool,
    /// A line of the kernel that the patch mends.
    pub mends: Option<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub file: String,
    pub line: String,
}

/// The parts, in order.
pub fn load() -> Result<Vec<Part>> {
    let file: File = toml::from_str(include_str!("../../series/patches.toml"))?;
    Ok(file.part)
}

/// The patches of all parts, in order.
pub fn of_parts(parts: &[Part]) -> Vec<&Patch> {
    parts.iter().flat_map(|part| &part.patches).collect()
}

/// By path: the number of the patch that a file is in. Each file must be in one, and each edit,
/// too.
pub fn of_files(
    patches: &[&Patch],
    edits: &Edits,
    files: &BTreeMap<String, PathBuf>,
) -> Result<BTreeMap<String, usize>> {
    let is_unknown = |name: &&str| !patches.iter().any(|patch| patch.name == *name);
    if let Some(unknown) = edits.patches().find(is_unknown) {
        bail!("an edit is of the patch `{unknown}`, which the series does not have");
    }
    let mut of_files = BTreeMap::new();
    for (index, patch) in patches.iter().enumerate() {
        for text in &patch.files {
            let pattern = Pattern::new(text)?;
            let mut is_used = false;
            for path in files.keys().filter(|path| pattern.matches(path)) {
                is_used = true;
                let other = of_files.insert(path.clone(), index);
                let is_first = other.is_none_or(|other| other == index);
                ensure!(is_first, "{path} is in two patches of the series");
            }
            ensure!(is_used, "the patch `{}` has no file `{text}`", patch.name);
        }
    }
    if let Some(path) = files.keys().find(|path| !of_files.contains_key(*path)) {
        bail!("{path} is in no patch of the series");
    }
    Ok(of_files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::project::Project;
    use crate::build::tree::{self, overlay};

    #[test]
    fn all_that_is_ours_is_in_one_patch() {
        let project = Project::here();
        let (edits, files) = (
            tree::edits(&project).unwrap(),
            overlay::files(&project).unwrap(),
        );
        let parts = load().unwrap();
        let patches = of_parts(&parts);
        let of_files = of_files(&patches, &edits, &files).unwrap();
        assert_eq!(of_files.len(), files.len());
        for (index, patch) in patches.iter().enumerate() {
            let edited = edits.patches().any(|name| name == patch.name);
            let has_files = of_files.values().any(|of| *of == index);
            let is_full = edited || has_files || patch.changes;
            assert!(is_full, "`{}` is empty", patch.name);
        }
    }

    #[test]
    fn what_is_in_no_patch_or_in_two_is_told() {
        let patch = |name: &str, pattern: &str| Patch {
            name: name.to_owned(),
            subject: String::new(),
            body: String::new(),
            files: vec![pattern.to_owned()],
            changes: false,
            mends: None,
        };
        let patches = [&patch("a", "a*"), &patch("b", "*b")];
        let of_files = |edits: &str, names: &[&str]| {
            let files = names.iter().map(|name| (name.to_string(), PathBuf::new()));
            let edits = toml::from_str(edits).unwrap();
            of_files(&patches, &edits, &files.collect()).map_err(|error| error.to_string())
        };
        let error = |names: &[&str]| of_files("", names).unwrap_err();
        assert_eq!(error(&["a", "b", "c"]), "c is in no patch of the series");
        assert_eq!(error(&["ab"]), "ab is in two patches of the series");
        assert_eq!(error(&["a"]), "the patch `b` has no file `*b`");
        let good = of_files("", &["a1", "b"]).unwrap();
        assert_eq!(good.into_values().collect::<Vec<_>>(), [0, 1]);

        let edit = "[[replace]]\npatch = 'c'\nfile = 'f'\npattern = 'p'\ntext = 't'\n";
        let error = of_files(edit, &["a", "b"]).unwrap_err();
        assert!(error.starts_with("an edit is of the patch `c`"), "{error}");
    }

    #[test]
    fn messages_are_as_the_kernel_wants_them() {
        for Patch { subject, body, .. } in of_parts(&load().unwrap()) {
            assert!(
                subject.contains(": ") && !body.trim().is_empty(),
                "{subject}"
            );
            for line in subject.lines().chain(body.lines()) {
                assert!(line.len() <= COLUMNS, "{line}");
            }
        }
    }
}
