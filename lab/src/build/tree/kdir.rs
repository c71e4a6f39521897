// SPDX-License-Identifier: GPL-2.0

//! The user's own kernel tree as the base, instead of Debian's source.
//!
//! It is only read. What it holds is taken as one snapshot into a repository of ours; where it is
//! a git work tree, its objects are used and not copied, and only what git tracks there counts,
//! uncommitted changes included.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use super::git::Repo;
use crate::base::error::{fault, Help};
use crate::base::process::output;
use crate::base::progress::{say, Step};
use crate::base::version::Version;
use crate::get::source::version_of;

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

/// The version of a kernel tree; what is not one is refused.
pub fn version(kdir: &Path) -> Result<Version> {
    version_of(kdir).ok_or_else(|| {
        fault(
            format!("KDIR={} is not the top of a kernel tree", kdir.display()),
            "pass the directory that holds the kernel's Makefile and arch/arm64/kvm",
        )
    })
}

/// Takes the user's tree as it is now into `repo`, and returns the commit that holds it. It is the
/// same commit as before if nothing has changed.
pub fn snapshot(repo: &Repo, kdir: &Path) -> Result<String> {
    let step = Step::spinner(format!("reading {}", kdir.display()));
    let index = repo.git_dir().join("kdir-index");
    let git_dir = repo.git_dir();
    let env: [(&str, &Path); 3] = [
        ("GIT_DIR", &git_dir),
        ("GIT_WORK_TREE", kdir),
        ("GIT_INDEX_FILE", &index),
    ];
    let users = Repo::at(kdir);
    let (tree, what) = if is_top_of_repo(&users, kdir) {
        borrow_objects(repo, &users)?;
        fs::copy(users.path_of("index")?, &index)
            .help("commit something in that tree, or pass a tree without .git")?;
        let tree = repo.snapshot(&env, &["-u"])?;
        let head = users.find("HEAD^{tree}").unwrap_or_default();
        let commit = users.find("HEAD").unwrap_or_default();
        let changed = if head == tree {
            ""
        } else {
            " with its uncommitted changes"
        };
        (tree, format!("{} at {commit:.12}{changed}", kdir.display()))
    } else {
        let add = ["-A", "-f", "--", "."]
            .into_iter()
            .chain(BUILT)
            .collect::<Vec<_>>();
        (repo.snapshot(&env, &add)?, kdir.display().to_string())
    };
    drop(step);

    if repo
        .find("pristine^{tree}")
        .is_some_and(|known| known == tree)
    {
        return repo.run(["rev-parse", "pristine"]);
    }
    let commit = repo.run(["commit-tree", &tree, "-m", &what])?;
    repo.run(["update-ref", "refs/tags/pristine", &commit])?;
    say(format!("took {what}"));
    Ok(commit)
}

fn is_top_of_repo(users: &Repo, kdir: &Path) -> bool {
    let top = users.run(["rev-parse", "--show-toplevel"]);
    top.is_ok_and(|top| Path::new(&top) == kdir)
}

/// Lets our repository find the objects of the user's, as `git clone --shared` does.
fn borrow_objects(repo: &Repo, users: &Repo) -> Result<()> {
    let objects = format!("{}\n", users.path_of("objects")?.display());
    let info = repo.git_dir().join("objects/info");
    fs::create_dir_all(&info)?;
    Ok(fs::write(info.join("alternates"), objects)?)
}

impl Repo {
    /// Where git keeps a file of its own for this work tree.
    fn path_of(&self, name: &str) -> Result<PathBuf> {
        let args = ["rev-parse", "--path-format=absolute", "--git-path", name];
        Ok(output(&self.git(args))?.trim_end().into())
    }
}
