// SPDX-License-Identifier: GPL-2.0

//! The patched kernel tree.
//!
//! It is a git repository of two commits: the source as it was found, tagged `pristine`, and on
//! top of it everything of ours. That second commit is made anew from the pristine one whenever
//! our files or edits change, and git changes only the files in the tree that differ, so that
//! Kbuild builds only what depends on them.

pub mod cdefs;
pub mod edits;
pub mod git;
mod kdir;
pub mod overlay;
mod rewrite;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::{ensure_space, whole_dir, Lock};
use crate::base::error::{fault, Help};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::packages::Packages;
use crate::get::source;
use edits::Edits;
use git::Repo;

/// What a kernel tree with its history takes on the disk, in GB.
const SPACE: u64 = 4;

/// The list of our edits, below the top of this checkout.
const EDITS: &str = "lab/data/edits.toml";

/// The commit that is in the tree, as long as nobody commits there.
const APPLIED: &str = "refs/lab/applied";

/// What was there before it.
const BEFORE: &str = "refs/lab/applied^";

/// Makes sure that the patched tree is there and has our files as they are now.
pub fn ensure(project: &Project) -> Result<PathBuf> {
    if project.patches_its_tree() {
        let _lock = Lock::take(&project.base(), "tree")?;
        let (repo, pristine) = pristine(project)?;
        let (edits, ours) = (edits(project)?.of(|_| true), overlay::files(project)?);
        let patched = patched(&repo, &pristine, &edits, ours)?;
        apply(&project.tree(), &repo, &pristine, &patched)?;
    }
    Ok(project.tree())
}

/// The repository of the tree, and the source in it as it was found.
pub fn pristine(project: &Project) -> Result<(Repo, String)> {
    let tree = project.tree();
    if !tree.exists() {
        ensure_space(&project.base(), SPACE, "a kernel tree")?;
        whole_dir(&tree, |dir| create(project, dir))?;
    }
    let repo = Repo::at(&tree);
    let pristine = match project.kdir() {
        Some(kdir) => kdir::snapshot(&repo, kdir)?,
        None => repo
            .find("pristine")
            .with_context(|| format!("{} is not a tree of this tool", tree.display()))
            .help("move it away")?,
    };
    Ok((repo, pristine))
}

/// Refuses a tree of the user's that is no kernel, or one that the edits are not for.
pub fn refuse_kdir(project: &Project, kdir: &Path) -> Result<()> {
    let what = format!("KDIR={}", kdir.display());
    let version = source::version_of(kdir)
        .with_context(|| format!("{what} is not the top of a kernel tree"))
        .help("pass the directory that holds the kernel's Makefile and arch/arm64/kvm")?;
    refuse_unsupported(project, &what, version)
}

/// Refuses a series of the kernel that the edits are not for.
pub fn refuse_unsupported(project: &Project, what: &str, kernel: Version) -> Result<()> {
    let kernels = Packages::load(project)?.kernels;
    if kernels.have(kernel) {
        return Ok(());
    }
    Err(fault(
        format!("{what}: Linux {kernel} is not supported"),
        format!("the edits in {EDITS} are for {kernels}"),
    ))
}

/// The list of our edits.
pub fn edits(project: &Project) -> Result<Edits> {
    Edits::load(&project.root().join(EDITS))
}

/// Makes a tree of the pristine source.
fn create(project: &Project, dir: &Path) -> Result<()> {
    let repo = Repo::init(dir)?;
    let pristine = match project.kdir() {
        Some(kdir) => {
            let pristine = kdir::snapshot(&repo, kdir)?;
            let _step = Step::spinner("writing the copy");
            repo.run(["read-tree", "--reset", "-u", &pristine])?;
            pristine
        }
        None => {
            let source = source::fetch(project, dir)?;
            let _step = Step::spinner("putting the source into git");
            keep_pristine(&repo, &repo.snapshot(&[], &["-A", "-f"])?, &source)?
        }
    };
    set_head(&repo, &pristine)
}

/// Tags a commit of the source as it was found. It is the one before if nothing has changed.
fn keep_pristine(repo: &Repo, tree: &str, what: &str) -> Result<String> {
    if repo.find("pristine^{tree}").as_deref() == Some(tree) {
        return repo.run(["rev-parse", "pristine"]);
    }
    let commit = repo.run(["commit-tree", tree, "-m", what])?;
    repo.run(["update-ref", "refs/tags/pristine", &commit])?;
    say(format!("took {what}"));
    Ok(commit)
}

fn set_head(repo: &Repo, commit: &str) -> Result<()> {
    repo.run(["update-ref", "HEAD", commit])?;
    repo.run(["update-ref", APPLIED, commit]).map(drop)
}

/// Brings everything of ours, which is in the git tree `patched`, into the directory `tree`. What
/// was edited there stays, or nothing is changed.
fn apply(tree: &Path, repo: &Repo, pristine: &str, patched: &str) -> Result<()> {
    let is = |revision: &str, id| repo.find(revision).as_deref() == Some(id);
    if is(BEFORE, pristine) && is(&format!("{APPLIED}^{{tree}}"), patched) {
        let edited = repo.run(["diff", "--name-only"])?.replace('\n', ", ");
        if !edited.is_empty() {
            say(format!(
                "warning: edited in the kernel tree, and left so: {edited}"
            ));
        }
        return Ok(());
    }
    let tree = tree.display();
    if repo.find("HEAD") != repo.find(APPLIED) {
        return Err(fault(
            format!("{tree} has commits that are not of this tool"),
            format!("take them here, then: git reset --hard {APPLIED}"),
        ));
    }
    let message = "Serve the firmware pseudo-registers from Rust";
    let commit = repo.commit_as(&[], pristine, patched, message)?;
    // A file that has been touched, but is the same, is no reason to refuse.
    let _ = repo.run(["update-index", "-q", "--refresh"]);
    repo.run(["read-tree", "-m", "-u", APPLIED, &commit])
        .with_context(|| format!("cannot change the files in {tree}"))
        .help("if they were edited there: take that over here, then run git checkout -f there")?;
    set_head(repo, &commit)?;
    say(format!("patched {tree}"));
    Ok(())
}

/// The git tree of a commit with these edits and files in it, which is stored.
pub fn patched(
    repo: &Repo,
    base: &str,
    edits: &Edits,
    ours: BTreeMap<String, PathBuf>,
) -> Result<String> {
    let edited = edits.apply(|path| repo.show(base, path))?;
    let edited = edited.map_err(|failures| {
        let failures = failures.join("\n  ");
        fault(
            format!("this kernel cannot be patched:\n  {failures}"),
            format!("its code has moved; adapt {EDITS} (nothing was changed)"),
        )
    })?;
    let list = ["ls-tree", "-r", "--name-only", base, "--"].into_iter();
    let existing = repo.run(list.chain(ours.keys().map(String::as_str)))?;
    if !ours.is_empty() && !existing.is_empty() {
        return Err(fault(
            format!("the kernel has these files of ours itself:\n{existing}"),
            format!("rename ours, or make the change an edit in {EDITS}"),
        ));
    }
    let scratch = tempfile::tempdir()?;
    let place = |path: &String| -> Result<PathBuf> {
        let place = scratch.path().join(path);
        fs::create_dir_all(place.parent().unwrap_or(&place))?;
        Ok(place)
    };
    for (path, file) in &ours {
        fs::copy(file, place(path)?)?;
    }
    for (path, text) in &edited {
        fs::write(place(path)?, text)?;
    }
    repo.lay_over(base, scratch.path(), ours.keys().chain(edited.keys()))
}

/// The paths of the tree that are ours or that we edit.
pub fn changes(project: &Project) -> Result<Vec<String>> {
    let args = "diff --name-only --no-renames --diff-filter=d".split(' ');
    let args = args.chain([BEFORE, APPLIED]);
    let changes = Repo::at(project.tree()).run(args)?;
    Ok(changes.lines().map(str::to_owned).collect())
}

/// The lines that we add to a file of the tree.
pub fn added(project: &Project, path: &str) -> Result<String> {
    let args = ["diff", "--unified=0", BEFORE, APPLIED, "--", path];
    let diff = Repo::at(project.tree()).run(args)?;
    let added = diff.lines().filter_map(|line| line.strip_prefix('+'));
    Ok(added.map(|line| format!("{line}\n")).collect())
}

/// What a tree's Kconfig files say: the same text, the same files.
pub fn kconfig(tree: &Path) -> Result<String> {
    let repo = Repo::at(tree);
    let ours = repo.run(["rev-parse", &format!("{APPLIED}^{{tree}}")])?;
    let edited = repo.run(["diff", APPLIED, "--", "*Kconfig*"])?;
    Ok(format!("{ours}\n{edited}"))
}

#[cfg(test)]
mod tests;
