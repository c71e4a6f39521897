// SPDX-License-Identifier: GPL-2.0

//! Git, as far as the kernel tree needs it, with the same configuration for every user.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use duct::Expression;

use crate::base::process::{command, output};

/// Settings that take the place of the user's.
const SETTINGS: [&str; 8] = [
    // No garbage collection, and no wait for the disk: a power cut may cost a tree.
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

/// Where git itself runs this tool, in a hook or in an alias, they are set for another repository.
const FOREIGN: [&str; 5] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
];

/// Settings for adding a whole kernel tree: into one pack instead of a file for each object, and
/// with little effort for its size.
const BULK: [&str; 4] = ["-c", "core.bigFileThreshold=1", "-c", "core.compression=1"];

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
        fs_err::create_dir_all(tree)?;
        let repo = Self::at(tree);
        repo.run(["init", "-q", "--initial-branch=lab"])?;
        Ok(repo)
    }

    pub fn git_dir(&self) -> PathBuf {
        self.tree.join(".git")
    }

    /// A git command in this repository, with these variables in its environment.
    pub fn git_with<A: AsRef<OsStr>>(
        &self,
        env: &[(&str, &Path)],
        args: impl IntoIterator<Item = A>,
    ) -> Expression {
        let settings = SETTINGS.iter().flat_map(|setting| ["-c", setting]);
        let args = args.into_iter().map(|arg| arg.as_ref().to_os_string());
        let git = command("git", settings.map(Into::into).chain(args)).dir(&self.tree);
        let git = env
            .iter()
            .fold(git, |git, (name, value)| git.env(name, value));
        // What is set above has precedence over what is set and removed here.
        let git = git
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_OPTIONAL_LOCKS", "0");
        FOREIGN.iter().fold(git, |git, name| git.env_remove(name))
    }

    /// Runs git and returns what it printed, without the last newline.
    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Result<String> {
        self.run_with(&[], args)
    }

    fn run_with<A: AsRef<OsStr>>(
        &self,
        env: &[(&str, &Path)],
        args: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        let printed = output(&self.git_with(env, args))?;
        Ok(printed.trim_end_matches('\n').to_owned())
    }

    /// The id of a revision, if there is such a one.
    pub fn find(&self, revision: &str) -> Option<String> {
        self.run(["rev-parse", "-q", "--verify", revision]).ok()
    }

    /// A file's text in a revision; none if it is not there.
    pub fn show(&self, revision: &str, path: &str) -> Result<Option<String>> {
        if self.run(["ls-tree", revision, "--", path])?.is_empty() {
            return Ok(None);
        }
        let blob = format!("{revision}:{path}");
        output(&self.git_with(&[], ["cat-file", "blob", &blob])).map(Some)
    }

    /// Adds files as `how` tells, from the work tree and with the index that `env` names, and
    /// returns the id of the whole tree.
    pub fn snapshot(&self, env: &[(&str, &Path)], how: &[&str]) -> Result<String> {
        self.run_with(env, BULK.iter().chain(&["add"]).chain(how))?;
        self.run_with(env, ["write-tree"])
    }

    /// Lays files, which are in the directory `over`, over the tree of a revision, and returns the
    /// id of the whole tree. No file of the work tree is looked at.
    pub fn lay_over<'a>(
        &self,
        revision: &str,
        over: &Path,
        paths: impl Iterator<Item = &'a String>,
    ) -> Result<String> {
        let scratch = tempfile::tempdir()?;
        let (git_dir, index) = (self.git_dir(), scratch.path().join("index"));
        let env = [
            ("GIT_DIR", &*git_dir),
            ("GIT_WORK_TREE", over),
            ("GIT_INDEX_FILE", &*index),
        ];
        self.run_with(&env, ["read-tree", revision])?;
        let paths: String = paths.map(|path| format!("{path}\0")).collect();
        let add = self.git_with(&env, ["update-index", "--add", "-z", "--stdin"]);
        output(&add.stdin_bytes(paths))?;
        self.run_with(&env, ["write-tree"])
    }

    /// Commits a tree. The variables in git's environment can tell who the author is.
    pub fn commit_as(
        &self,
        env: &[(&str, &Path)],
        parent: &str,
        tree: &str,
        message: &str,
    ) -> Result<String> {
        self.run_with(env, ["commit-tree", tree, "-p", parent, "-m", message])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn files_are_laid_over_a_tree_and_nothing_else_is_changed() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(&dir.path().join("repo")).unwrap();
        for (file, text) in [
            ("repo/a", "1\n"),
            ("repo/b", "2\n"),
            ("over/c/d", "3\n"),
            ("over/b", "4\n"),
        ] {
            let file = dir.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let script = dir.path().join("over/c/d");
        fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        let base = repo.snapshot(&[], &["-A"]).unwrap();
        let base = repo.run(["commit-tree", &base, "-m", "base"]).unwrap();
        let paths = ["b", "c/d"].map(String::from);
        let tree = repo
            .lay_over(&base, &dir.path().join("over"), paths.iter())
            .unwrap();
        let commit = repo.commit_as(&[], &base, &tree, "over").unwrap();

        assert_eq!(repo.find(&format!("{commit}^")).as_ref(), Some(&base));
        let listed = repo
            .run(["ls-tree", "-r", "--format=%(objectmode) %(path)", &commit])
            .unwrap();
        assert_eq!(listed, "100644 a\n100644 b\n100755 c/d");
        assert_eq!(repo.show(&commit, "a").unwrap().as_deref(), Some("1\n"));
        assert_eq!(repo.show(&commit, "b").unwrap().as_deref(), Some("4\n"));
        assert_eq!(repo.show(&commit, "none").unwrap(), None);
        assert_eq!(
            fs::read_to_string(dir.path().join("repo/b")).unwrap(),
            "2\n"
        );
        assert!(repo.show("none", "a").is_err());
    }
}
