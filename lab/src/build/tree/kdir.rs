// SPDX-License-Identifier: GPL-2.0

//! The user's own kernel tree as the base, instead of Debian's source.
//!
//! It is only read. What it holds is taken as one snapshot into a repository of ours; where it is
//! a git work tree, its objects are used and not copied, and only what git tracks there counts,
//! uncommitted changes included.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use super::{git::Repo, keep_pristine};
use crate::base::error::Help;
use crate::base::progress::Step;

/// What a build leaves in a tree, where no git tells it from the source. The tree's `.gitignore`
/// cannot: in Debian's source it names everything.
const BUILT: [&str; 9] = [
    ":(exclude,glob)**/*.o",
    ":(exclude,glob)**/*.a",
    ":(exclude,glob)**/*.ko",
    ":(exclude,glob)**/.*.cmd",
    ":(exclude,glob)vmlinux*",
    ":(exclude).config",
    ":(exclude)include/config",
    ":(exclude)include/generated",
    ":(exclude,glob)arch/*/include/generated/**",
];

/// Takes the user's tree as it is now into `repo`, and returns the commit that holds it.
pub fn snapshot(repo: &Repo, kdir: &Path) -> Result<String> {
    let step = Step::spinner(format!("reading {}", kdir.display()));
    let git_dir = repo.git_dir();
    let index = git_dir.join("kdir-index");
    let env = [
        ("GIT_DIR", &*git_dir),
        ("GIT_WORK_TREE", kdir),
        ("GIT_INDEX_FILE", &*index),
    ];
    let users = Repo::at(kdir);
    let top = users.run(["rev-parse", "--show-toplevel"]);
    let (tree, what) = if top.is_ok_and(|top| Path::new(&top) == kdir) {
        let place = |name| users.run(["rev-parse", "--path-format=absolute", "--git-path", name]);
        // Our repository finds the objects of the user's, as after `git clone --shared`.
        let info = git_dir.join("objects/info");
        fs::create_dir_all(&info)?;
        fs::write(info.join("alternates"), place("objects")? + "\n")?;
        let theirs = PathBuf::from(place("index")?);
        fs::copy(&theirs, &index)
            .help("commit something in that tree, or pass a tree without .git")?;
        // Git reads a file again where its index is not newer than the file.
        let written = fs::metadata(&theirs)?.modified()?;
        std::fs::File::options()
            .write(true)
            .open(&index)?
            .set_modified(written)?;
        let tree = repo.snapshot(&env, &["-u"])?;
        let changed = match users.find("HEAD^{tree}") == Some(tree.clone()) {
            true => "",
            false => " with its uncommitted changes",
        };
        let commit = users.find("HEAD").unwrap_or_default();
        (tree, format!("{} at {commit:.12}{changed}", kdir.display()))
    } else {
        let all = [&["-A", "-f", "--", "."], &BUILT[..]].concat();
        (repo.snapshot(&env, &all)?, kdir.display().to_string())
    };
    drop(step);
    keep_pristine(repo, &tree, &what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::process::{command, output};

    /// Every file below a directory, with what it holds and when it was written.
    fn state(dir: &Path) -> String {
        let script = "find . -printf '%p %m %T@ ' -type f -exec cksum {} + | sort";
        output(&command("sh", ["-ec", script]).dir(dir)).unwrap()
    }

    fn users(dir: &Path) -> PathBuf {
        let users = dir.canonicalize().unwrap().join("users");
        fs::create_dir_all(users.join("include/generated")).unwrap();
        for (file, text) in [
            ("Makefile", "old\n"),
            ("built.o", ""),
            ("include/generated/a.h", ""),
        ] {
            fs::write(users.join(file), text).unwrap();
        }
        users
    }

    #[test]
    fn a_git_tree_is_only_read_and_taken_with_its_uncommitted_changes() {
        let dir = tempfile::tempdir().unwrap();
        let users = users(dir.path());
        let theirs = Repo::init(&users).unwrap();
        theirs.run(["add", "Makefile"]).unwrap();
        theirs.run(["commit", "-q", "-m", "theirs"]).unwrap();
        fs::write(users.join("Makefile"), "new\n").unwrap();
        let before = state(&users);
        // An edit in the second of the commit, to the same length, is seen later, too.
        std::thread::sleep(std::time::Duration::from_secs(1));

        let repo = Repo::init(&dir.path().join("ours")).unwrap();
        let commit = snapshot(&repo, &users).unwrap();
        assert_eq!(state(&users), before);
        assert_eq!(
            repo.show(&commit, "Makefile").unwrap().as_deref(),
            Some("new\n")
        );
        assert_eq!(
            repo.run(["ls-tree", "-r", "--name-only", &commit]).unwrap(),
            "Makefile"
        );
        assert_eq!(repo.find("pristine").as_ref(), Some(&commit));
        // Nothing has changed since.
        assert_eq!(snapshot(&repo, &users).unwrap(), commit);
        assert_eq!(state(&users), before);
    }

    #[test]
    fn a_tree_without_git_is_only_read_and_taken_without_what_was_built() {
        let dir = tempfile::tempdir().unwrap();
        let users = users(dir.path());
        let before = state(&users);
        let repo = Repo::init(&dir.path().join("ours")).unwrap();
        let commit = snapshot(&repo, &users).unwrap();
        assert_eq!(state(&users), before);
        assert_eq!(
            repo.run(["ls-tree", "-r", "--name-only", &commit]).unwrap(),
            "Makefile"
        );
    }
}
