// SPDX-License-Identifier: GPL-2.0

//! What later patches change in files of ours that earlier ones add.
//!
//! Here is what all patches together come to. `lab/series/changes/` has what some of them change:
//! taken back from our files, from the last to the first, that gives the files as each patch has
//! them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use fs_err as fs;

use super::patches::Patch;
use crate::base::error::Help;
use crate::base::process::output;
use crate::base::project::Project;
use crate::build::tree::git::Repo;

/// Our files, by their path in a kernel tree.
type Files = BTreeMap<String, PathBuf>;

/// Our files as each of the patches has them. Those that are not here as they are now are written
/// to `scratch`.
pub fn versions(
    project: &Project,
    patches: &[&Patch],
    ours: Files,
    of_files: &BTreeMap<String, usize>,
    scratch: &Path,
) -> Result<Vec<Files>> {
    let places = ours.iter().map(|(path, file)| {
        let here = file.strip_prefix(project.root())?;
        Ok((here.to_string_lossy().into_owned(), path.clone()))
    });
    let places: BTreeMap<String, String> = places.collect::<Result<_>>()?;

    let mut versions = Vec::new();
    let mut files = ours;
    for (index, patch) in patches.iter().enumerate().rev() {
        versions.push(files.clone());
        if !patch.changes {
            continue;
        }
        let name = format!("lab/series/changes/{}.diff", patch.name);
        let diff = project.root().join(&name);
        let text = fs::read_to_string(&diff)?;
        let dir = scratch.join(&patch.name);
        for here in text.lines().filter_map(changed) {
            let path = places.get(here);
            let path = path.with_context(|| format!("{name}: {here} is no file of ours"))?;
            let is_there = of_files[path] < index;
            ensure!(is_there, "{name}: {here} is in no earlier patch");
            let place = dir.join(here);
            fs::create_dir_all(place.parent().unwrap_or(&dir))?;
            fs::copy(&files[path], &place)?;
            files.insert(path.clone(), place);
        }
        take_back(&diff, &dir)
            .with_context(|| format!("{name} does not fit our files"))
            .help("make it anew, as lab/series/README.md tells")?;
    }
    versions.reverse();
    Ok(versions)
}

/// The file that a diff is about from this line on.
fn changed(line: &str) -> Option<&str> {
    let (before, _) = line.strip_prefix("diff --git ")?.split_once(' ')?;
    before.split_once('/').map(|(_, file)| file)
}

/// Takes a diff back from the files in a directory.
fn take_back(diff: &Path, dir: &Path) -> Result<()> {
    // Git must not take a repository around it for that of the files.
    let around = [("GIT_CEILING_DIRECTORIES", dir.parent().unwrap_or(dir))];
    let args = ["apply".as_ref(), "--reverse".as_ref(), diff.as_os_str()];
    output(&Repo::at(dir).git_with(&around, args)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::tree::{self, overlay};
    use crate::series::patches;

    /// What a version has of strict VMs.
    fn strict(files: &Files) -> String {
        let texts = files.iter().map(|(path, file)| {
            let text = fs::read_to_string(file).unwrap();
            let lines = text.lines().filter(|line| {
                let line = line.to_lowercase();
                line.contains("strict") && !line.contains("restrict")
            });
            lines.map(|line| format!("{path}: {line}\n")).collect()
        });
        texts.collect::<Vec<String>>().concat()
    }

    #[test]
    fn nothing_is_strict_before_the_part_that_makes_it_so() {
        let project = Project::here();
        let (edits, ours) = (
            tree::edits(&project).unwrap(),
            overlay::files(&project).unwrap(),
        );
        let parts = patches::load().unwrap();
        let patches = patches::of_parts(&parts);
        let of_files = patches::of_files(&patches, &edits, &ours).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let versions = versions(&project, &patches, ours, &of_files, scratch.path()).unwrap();
        assert_eq!(versions.len(), patches.len());

        let until = parts.iter().position(|part| part.name == "strict").unwrap();
        let until = patches::of_parts(&parts[..until]).len();
        for (index, version) in versions[..until].iter().enumerate() {
            let mut files = version.clone();
            files.retain(|path, _| of_files[path] <= index);
            assert_eq!(strict(&files), "", "{}", patches[index].name);
        }
        assert!(!strict(versions.last().unwrap()).is_empty());
    }
}
