// SPDX-License-Identifier: GPL-2.0

//! Git, as far as the kernel tree needs it: plumbing, untouched by anybody's configuration.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use duct::Expression;

use crate::base::process::{command, output};

/// Settings that take the place of anybody's own.
const SETTINGS: [&str; 8] = [
    // Nothing is tidied behind our back, and a power cut may cost a tree.
    "gc.auto=0",
    "core.fsync=none",
    // What is in the tree is what is committed.
    "core.autocrlf=false",
    "core.excludesFile=",
    "core.fsmonitor=false",
    // The tree of another user may be read.
    "safe.directory=*",
    "user.name=lab",
    "user.email=lab@localhost",
];

/// Settings for adding a whole kernel tree: into one pack instead of a file for each object, and
/// with little effort for its size.
const BULK: [&str; 4] = ["-c", "core.bigFileThreshold=1", "-c", "core.compression=1"];

/// Paths below the top of the tree, and what git has at each: mode and object id.
pub type Entries = BTreeMap<String, Entry>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub mode: String,
    pub id: String,
}

/// A repository with its work tree.
#[derive(Debug, Clone)]
pub struct Repo {
    tree: PathBuf,
}

impl Repo {
    pub fn at(tree: impl Into<PathBuf>) -> Self {
        Self { tree: tree.into() }
    }

    pub fn init(tree: &Path) -> Result<Self> {
        let repo = Self::at(tree);
        repo.run(["init", "-q", "--initial-branch=lab"])?;
        Ok(repo)
    }

    pub fn git_dir(&self) -> PathBuf {
        self.tree.join(".git")
    }

    /// A git command in this repository.
    pub fn git<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Expression {
        self.git_with(&[], args)
    }

    /// A git command with these variables in its environment.
    pub fn git_with<A: AsRef<OsStr>>(
        &self,
        env: &[(&str, &Path)],
        args: impl IntoIterator<Item = A>,
    ) -> Expression {
        let settings = SETTINGS
            .iter()
            .flat_map(|setting| ["-c", setting])
            .map(Into::into);
        let args = args.into_iter().map(|arg| arg.as_ref().to_os_string());
        let mut git = command("git", settings.chain(args)).dir(&self.tree);
        for (name, value) in env {
            git = git.env(name, value);
        }
        git = git
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        // Where git itself runs this tool, in a hook or in an alias, they are set for another
        // repository. What was set before this has precedence.
        [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_OBJECT_DIRECTORY",
            "GIT_PREFIX",
        ]
        .iter()
        .fold(git, |git, name| git.env_remove(name))
    }

    /// Runs git and returns what it printed, without the last newline.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        Ok(output(&self.git(args))?.trim_end_matches('\n').to_string())
    }

    /// The id of a revision, if there is such a one.
    pub fn find(&self, revision: &str) -> Option<String> {
        self.run(["rev-parse", "-q", "--verify", revision]).ok()
    }

    /// A file's text in a revision; none if it is not there.
    pub fn show(&self, revision: &str, path: &str) -> Result<Option<String>> {
        let entry = self.run(["ls-tree", revision, "--", path])?;
        if entry.is_empty() {
            return Ok(None);
        }
        let blob = format!("{revision}:{path}");
        output(&self.git(["cat-file", "blob", &blob])).map(Some)
    }

    /// Stores files and returns their ids in the same order.
    pub fn store(&self, files: &[PathBuf]) -> Result<Vec<String>> {
        let mut paths = Vec::new();
        for file in files {
            paths.extend(file.as_os_str().as_encoded_bytes());
            paths.push(b'\n');
        }
        let git = self.git(["hash-object", "-w", "--no-filters", "--stdin-paths"]);
        let ids = output(&git.stdin_bytes(paths))?;
        let ids: Vec<_> = ids.lines().map(str::to_string).collect();
        ensure!(
            ids.len() == files.len(),
            "git stored {} of {} files",
            ids.len(),
            files.len()
        );
        Ok(ids)
    }

    /// What differs between two revisions: the paths of `to`, none for those that it lacks.
    pub fn differences(&self, from: &str, to: &str) -> Result<BTreeMap<String, Option<Entry>>> {
        let raw = self.run(["diff-tree", "-r", "-z", "--no-renames", from, to])?;
        parse_raw(&raw).with_context(|| format!("cannot read the differences of {from} and {to}"))
    }

    /// Adds files as `how` tells, from the work tree and with the index that `env` names, and
    /// returns the id of the whole tree.
    pub fn snapshot(&self, env: &[(&str, &Path)], how: &[&str]) -> Result<String> {
        output(&self.git_with(env, BULK.iter().chain(&["add"]).chain(how)))?;
        let tree = output(&self.git_with(env, ["write-tree"]))?;
        Ok(tree.trim().to_string())
    }

    /// Commits a revision's tree with these entries laid over it, and nothing else changed.
    pub fn commit_over(&self, parent: &str, entries: &Entries, message: &str) -> Result<String> {
        self.commit_over_as(&[], parent, entries, message)
    }

    /// The same, with these variables in git's environment: they can tell who the author is.
    pub fn commit_over_as(
        &self,
        env: &[(&str, &Path)],
        parent: &str,
        entries: &Entries,
        message: &str,
    ) -> Result<String> {
        let index = tempfile::Builder::new()
            .prefix("lab-index-")
            .tempdir_in(self.git_dir())?;
        let index = index.path().join("index");
        let git = |args: &[&str]| self.git_with(&[("GIT_INDEX_FILE", &index)], args);
        output(&git(&["read-tree", parent]))?;
        let mut lines = String::new();
        for (path, Entry { mode, id }) in entries {
            lines += &format!("{mode} {id}\t{path}\0");
        }
        output(&git(&["update-index", "-z", "--index-info"]).stdin_bytes(lines))?;
        let tree = output(&git(&["write-tree"]))?;
        let commit = ["commit-tree", tree.trim(), "-p", parent, "-m", message];
        Ok(output(&self.git_with(env, commit))?.trim().to_string())
    }
}

/// Reads the output of `git diff-tree -r -z`: `:100644 100644 id id M`, then the path.
fn parse_raw(raw: &str) -> Option<BTreeMap<String, Option<Entry>>> {
    let mut fields = raw.split_terminator('\0');
    let mut differences = BTreeMap::new();
    while let Some(meta) = fields.next() {
        let mut words = meta.split(' ').skip(1);
        let mode = words.next()?.to_string();
        let id = words.nth(1)?.to_string();
        let entry = (mode != "000000").then_some(Entry { mode, id });
        differences.insert(fields.next()?.to_string(), entry);
    }
    Some(differences)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_differences_are_read() {
        let raw = ":100644 100755 aa bb M\0fs/a.c\0:100644 000000 cc 00 D\0b\0";
        let read = parse_raw(raw).unwrap();
        let entry = read["fs/a.c"].as_ref().unwrap();
        assert_eq!((entry.mode.as_str(), entry.id.as_str()), ("100755", "bb"));
        assert_eq!(read["b"], None);
        assert_eq!(parse_raw(":100644 100755"), None);
    }

    #[test]
    fn a_commit_over_another_changes_only_what_it_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path()).unwrap();
        std::fs::write(dir.path().join("a"), "1\n").unwrap();
        std::fs::write(dir.path().join("b"), "2\n").unwrap();
        repo.run(["add", "-A"]).unwrap();
        repo.run(["commit", "-q", "-m", "base"]).unwrap();
        let id = repo.store(&[dir.path().join("a")]).unwrap().remove(0);
        let entry = Entry {
            mode: "100644".into(),
            id,
        };
        let entries = Entries::from([("c/d".to_string(), entry.clone())]);
        let over = repo.commit_over("HEAD", &entries, "over").unwrap();
        let differences = repo.differences("HEAD", &over).unwrap();
        assert_eq!(differences, [("c/d".to_string(), Some(entry))].into());
        assert_eq!(repo.show(&over, "c/d").unwrap().as_deref(), Some("1\n"));
        assert_eq!(repo.show(&over, "none").unwrap(), None);
    }
}
