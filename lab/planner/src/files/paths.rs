// SPDX-License-Identifier: GPL-2.0

//! Which files are meant: each that is named, all in a directory, all that a pattern finds.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, Result};
use glob::{MatchOptions, Pattern};

use super::Watch;

/// What ends the name of a file that is named like what it holds.
const ENDINGS: [&str; 2] = [".json", ".txt"];

/// One file.
pub struct Source {
    pub path: PathBuf,
    /// What it holds is named so where it does not say a name: like the file, or like its path below
    /// the directory that was given.
    pub name: String,
}

/// The files, in the order of the arguments, those of a directory by path.
pub fn expand(arguments: &[PathBuf], watch: &mut dyn Watch) -> Vec<Source> {
    let mut sources = Vec::new();
    for argument in arguments {
        match files(argument) {
            Ok(found) => sources.extend(found),
            Err(error) => watch.broken(error),
        }
    }
    sources
}

fn files(argument: &Path) -> Result<Vec<Source>> {
    let text = argument.display();
    let found: Vec<Source> = if argument.is_dir() {
        let inside = format!("{}/**/*", Pattern::escape(&text.to_string()));
        let source = |path: PathBuf| Source {
            name: name(path.strip_prefix(argument).unwrap_or(&path)),
            path,
        };
        matches(&inside)?.map(source).collect()
    } else if argument.exists() {
        vec![named_like(argument.to_owned())]
    } else {
        matches(&text.to_string())?.map(named_like).collect()
    };
    match found.is_empty() {
        true if argument.is_dir() => Err(anyhow!("{text}: no files")),
        true => Err(anyhow!("{text}: no such file")),
        false => Ok(found),
    }
}

/// Files that a pattern finds, but no hidden ones.
fn matches(pattern: &str) -> Result<impl Iterator<Item = PathBuf>> {
    let options = MatchOptions {
        require_literal_leading_dot: true,
        ..MatchOptions::new()
    };
    let paths = glob::glob_with(pattern, options);
    let paths =
        paths.map_err(|error| anyhow!("{pattern}: no such file, and no pattern: {error}"))?;
    Ok(paths.filter_map(Result::ok).filter(|path| path.is_file()))
}

fn named_like(path: PathBuf) -> Source {
    let file = path.file_name().map_or(&*path, Path::new);
    Source {
        name: name(file),
        path,
    }
}

fn name(path: &Path) -> String {
    let name = path.display().to_string();
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_directories_and_patterns_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        fs_err::create_dir_all(path("z/old")).unwrap();
        for file in ["b.json", "a-6.1", "z/old/c.txt", "z/.hidden", "[d]"] {
            fs_err::write(path(file), "").unwrap();
        }
        let mut broken: Vec<String> = Vec::new();
        let mut found = |arguments: &[&str]| {
            let arguments: Vec<PathBuf> = arguments.iter().map(|it| path(it)).collect();
            let sources = expand(&arguments, &mut broken);
            let names = sources.into_iter().map(|source| source.name);
            names.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(&["b.json", "a-6.1"]), "b a-6.1");
        assert_eq!(found(&[""]), "[d] a-6.1 b z/old/c");
        assert_eq!(found(&["*.json", "z", "[d]"]), "b old/c [d]");
        assert_eq!(found(&["e", "b.json", "*.csv"]), "b");
        assert_eq!(broken.len(), 2);
        assert!(broken[0].ends_with("/e: no such file"), "{broken:?}");
        assert!(broken[1].ends_with("/*.csv: no such file"), "{broken:?}");
    }
}
