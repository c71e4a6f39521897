// SPDX-License-Identifier: GPL-2.0

//! The list of the series' patches, `lab/series/patches.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{bail, ensure, Context, Result};
use glob::Pattern;
use serde::Deserialize;

use crate::base::project::Project;
use crate::build::tree::edits::Edits;

/// As wide as a line of a commit's message may be.
const COLUMNS: usize = 72;

/// In order.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patches {
    #[serde(rename = "patch")]
    list: Vec<Patch>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    name: String,
    pub subject: String,
    pub body: String,
    /// Patterns of paths in the kernel tree.
    #[serde(default)]
    files: Vec<String>,
}

impl Patches {
    pub fn load(project: &Project) -> Result<Self> {
        let file = project.root().join("lab/series/patches.toml");
        let patches: Self = toml::from_str(&fs_err::read_to_string(&file)?)
            .with_context(|| format!("cannot read {}", file.display()))?;
        patches.iter().try_for_each(Patch::check_text)?;
        Ok(patches)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Patch> {
        self.list.iter()
    }

    /// Whether a patch is among the first `count`.
    pub fn is_there(&self, name: &str, count: usize) -> bool {
        self.list[..count].iter().any(|patch| patch.name == name)
    }

    /// By path: the number of the patch that a file is in. Each file must be in one, and each edit,
    /// too.
    pub fn of_files(
        &self,
        edits: &Edits,
        files: &BTreeMap<String, PathBuf>,
    ) -> Result<BTreeMap<String, usize>> {
        let count = self.list.len();
        if let Some(unknown) = edits.patches().find(|name| !self.is_there(name, count)) {
            bail!("an edit is of the patch `{unknown}`, which the series does not have");
        }
        let patterns = self.list.iter().map(|patch| {
            let patterns = patch.files.iter().map(|pattern| Pattern::new(pattern));
            patterns.collect::<Result<Vec<_>, _>>()
        });
        let patterns: Vec<Vec<Pattern>> = patterns.collect::<Result<_, _>>()?;

        let of_file = |path: &String| {
            let has = |patterns: &Vec<Pattern>| patterns.iter().any(|it| it.matches(path));
            let mut found = (0..count).filter(|patch| has(&patterns[*patch]));
            match (found.next(), found.next()) {
                (Some(patch), None) => Ok((path.clone(), patch)),
                (None, _) => bail!("{path} is in no patch of the series"),
                (Some(_), Some(_)) => bail!("{path} is in two patches of the series"),
            }
        };
        let of_files: BTreeMap<String, usize> = files.keys().map(of_file).collect::<Result<_>>()?;
        for (patterns, patch) in patterns.iter().zip(&self.list) {
            for pattern in patterns {
                ensure!(
                    files.keys().any(|path| pattern.matches(path)),
                    "the patch `{}` has no file `{pattern}`",
                    patch.name
                );
            }
        }
        Ok(of_files)
    }
}

impl Patch {
    pub fn message(&self) -> String {
        format!("{}\n\n{}", self.subject, self.body)
    }

    fn check_text(&self) -> Result<()> {
        let wide = |line: &&str| line.len() > COLUMNS;
        if let Some(line) = self.message().lines().find(wide) {
            bail!(
                "the patch `{}` has a line that is too long: {line}",
                self.name
            );
        }
        ensure!(
            !self.body.trim().is_empty() && self.subject.contains(": "),
            "the patch `{}` needs a subject with a prefix, and a body",
            self.name
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::tree::{self, overlay};

    fn patches(text: &str) -> Patches {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn all_that_is_ours_is_in_one_patch() {
        let project = Project::here();
        let (edits, files) = (
            tree::edits(&project).unwrap(),
            overlay::files(&project).unwrap(),
        );
        let patches = Patches::load(&project).unwrap();
        let of_files = patches.of_files(&edits, &files).unwrap();
        assert_eq!(of_files.len(), files.len());
        for (index, patch) in patches.iter().enumerate() {
            let edited = edits.patches().any(|name| name == patch.name);
            let has_files = of_files.values().any(|of| *of == index);
            assert!(edited || has_files, "`{}` is empty", patch.name);
        }
    }

    #[test]
    fn what_is_in_no_patch_or_in_two_is_told() {
        let list = "[[patch]]\nname = 'a'\nsubject = 'x: y'\nbody = 'z'\nfiles = ['a*']\n\
                    [[patch]]\nname = 'b'\nsubject = 'x: y'\nbody = 'z'\nfiles = ['*b']\n";
        let files = |names: &[&str]| {
            let files = names.iter().map(|name| (name.to_string(), PathBuf::new()));
            files.collect::<BTreeMap<_, _>>()
        };
        let none = Edits::default();
        let error = |names: &[&str]| {
            let result = patches(list).of_files(&none, &files(names));
            result.unwrap_err().to_string()
        };
        assert_eq!(error(&["a", "b", "c"]), "c is in no patch of the series");
        assert_eq!(error(&["ab"]), "ab is in two patches of the series");
        assert_eq!(error(&["a"]), "the patch `b` has no file `*b`");
        let good = patches(list).of_files(&none, &files(&["a1", "b"])).unwrap();
        assert_eq!(good.into_values().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_message_is_as_the_kernel_wants_it() {
        let patch = |subject: &str, body: &str| Patch {
            name: "a".to_owned(),
            subject: subject.to_owned(),
            body: body.to_owned(),
            files: Vec::new(),
        };
        assert!(patch("KVM: Do", "It does.\n").check_text().is_ok());
        assert!(patch("Do", "It does.\n").check_text().is_err());
        assert!(patch("KVM: Do", "\n").check_text().is_err());
        assert!(patch("KVM: Do", &"x".repeat(76)).check_text().is_err());
    }
}
