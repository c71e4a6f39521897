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
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::{ensure_space, whole_dir, Lock};
use crate::base::error::{fault, Help};
use crate::base::process::output;
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::base::version::Version;
use crate::get::packages::Packages;
use crate::get::source;
use edits::Edits;
use git::{Entries, Entry, Repo};

/// What a kernel tree with its history takes on the disk, in GB.
const SPACE: u64 = 4;

/// The list of our edits, below the top of this checkout.
const EDITS: &str = "lab/data/edits.toml";

/// The commit that is in the tree, as long as nobody commits there.
const APPLIED: &str = "refs/lab/applied";

/// Makes sure that the patched tree is there and has our files as they are now.
pub fn ensure(project: &Project) -> Result<PathBuf> {
    if !project.patches_its_tree() {
        return Ok(project.tree());
    }
    let _lock = Lock::take(&project.base(), "tree")?;
    let (repo, pristine) = pristine(project)?;
    let entries = entries(
        project,
        &repo,
        &pristine,
        &edits(project)?.of(|_| true),
        overlay::files(project)?,
    )?;
    apply(project, &repo, &pristine, entries)?;
    Ok(project.tree())
}

/// The repository of the tree, and the source in it as it was found.
pub fn pristine(project: &Project) -> Result<(Repo, String)> {
    let tree = project.tree();
    if !tree.exists() {
        ensure_space(&project.base(), SPACE, "a kernel tree")?;
        whole_dir(&tree, |dir| create(project, dir))?;
        source::forget(project)?;
    }
    let repo = Repo::at(&tree);
    let pristine = match project.kdir() {
        Some(kdir) => kdir::snapshot(&repo, kdir)?,
        None => repo
            .run(["rev-parse", "--verify", "-q", "pristine"])
            .help(format!(
                "{} is not a tree that this tool made: move it away",
                tree.display()
            ))?,
    };
    Ok((repo, pristine))
}

/// Refuses a tree of the user's that is no kernel, or one that the edits are not for.
pub fn refuse_kdir(project: &Project, kdir: &Path) -> Result<()> {
    let what = format!("KDIR={}", kdir.display());
    refuse_unsupported(project, &what, kdir::version(kdir)?)
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
    let repo = match project.kdir() {
        Some(kdir) => {
            let repo = Repo::init(dir)?;
            let pristine = kdir::snapshot(&repo, kdir)?;
            let step = Step::spinner("writing the copy");
            repo.run(["read-tree", "--reset", "-u", &pristine])?;
            drop(step);
            repo
        }
        None => {
            let source = source::fetch(project, dir)?;
            let repo = Repo::init(dir)?;
            let step = Step::spinner("putting the source into git");
            let tree = repo.snapshot(&[], &["-A", "-f"])?;
            let commit = repo.run(["commit-tree", &tree, "-m", &source])?;
            repo.run(["update-ref", "refs/tags/pristine", &commit])?;
            drop(step);
            repo
        }
    };
    set_head(&repo, "pristine")
}

fn set_head(repo: &Repo, commit: &str) -> Result<()> {
    repo.run(["update-ref", "HEAD", commit])?;
    repo.run(["update-ref", APPLIED, commit]).map(drop)
}

/// Brings everything of ours into the tree.
fn apply(project: &Project, repo: &Repo, pristine: &str, entries: Entries) -> Result<()> {
    let wanted: BTreeMap<_, _> = entries
        .iter()
        .map(|(path, entry)| (path.clone(), Some(entry.clone())))
        .collect();
    let parent = repo.find(&format!("{APPLIED}^"));
    let based = parent.as_deref() == Some(pristine);
    if based && repo.differences(pristine, APPLIED)? == wanted {
        return note_local_edits(repo, &entries);
    }
    if repo.find("HEAD") != repo.find(APPLIED) {
        return Err(fault(
            format!(
                "{} has commits that are not of this tool",
                project.tree().display()
            ),
            "take them here, then: git reset --hard refs/lab/applied",
        ));
    }
    let message = "Serve the firmware pseudo-registers from Rust";
    let commit = repo.commit_over(pristine, &entries, message)?;
    check_out(project, repo, &commit)?;
    set_head(repo, &commit)?;
    say(format!("patched {}", project.tree().display()));
    Ok(())
}

/// Changes the files in the tree from the commit that is there to another one.
fn check_out(project: &Project, repo: &Repo, commit: &str) -> Result<()> {
    let read_tree = |args: &[&str]| repo.run(["read-tree", "-m", "-u"].iter().chain(args));
    // A file that has been touched, but is the same, is no reason to refuse.
    let refresh = repo.git(["update-index", "-q", "--refresh"]).unchecked();
    output(&refresh.stdout_null())?;
    read_tree(&[APPLIED, commit])
        .with_context(|| format!("cannot change the files in {}", project.tree().display()))
        .help("if they were edited there: take that over here, then run git checkout -f there")
        .map(drop)
}

/// Says which of the files that are ours, or that we edit, differ from what we put there.
fn note_local_edits(repo: &Repo, entries: &Entries) -> Result<()> {
    let paths = entries.keys().map(String::as_str);
    let edited = repo.run(["diff", "--name-only", "--"].into_iter().chain(paths))?;
    if !edited.is_empty() {
        let edited = edited.replace('\n', ", ");
        say(format!(
            "warning: edited in the kernel tree, and left so: {edited}"
        ));
    }
    Ok(())
}

/// All paths that a commit with these edits and files changes, and what it has there. The objects
/// are stored.
pub fn entries(
    project: &Project,
    repo: &Repo,
    pristine: &str,
    edits: &Edits,
    ours: BTreeMap<String, PathBuf>,
) -> Result<Entries> {
    let edited = edited(project, repo, pristine, edits)?;
    let list = ["ls-tree", "-r", "--name-only", pristine, "--"];
    let existing = match ours.is_empty() {
        true => String::new(),
        false => repo.run(list.into_iter().chain(ours.keys().map(String::as_str)))?,
    };
    if !existing.is_empty() {
        return Err(fault(
            format!(
                "the kernel has these files of ours itself: {}",
                existing.replace('\n', ", ")
            ),
            "rename ours, or make the change an edit in lab/data/edits.toml",
        ));
    }
    let scratch = tempfile::tempdir()?;
    let (mut paths, mut files) = (Vec::new(), Vec::new());
    for (path, file) in ours {
        paths.push((path, mode_of(&file)?));
        files.push(file);
    }
    for (index, (path, text)) in edited.into_iter().enumerate() {
        let file = scratch.path().join(index.to_string());
        fs::write(&file, text)?;
        paths.push((path, "100644"));
        files.push(file);
    }
    let ids = repo.store(&files)?;
    let entries = paths.into_iter().zip(ids).map(|((path, mode), id)| {
        let mode = mode.to_string();
        (path, Entry { mode, id })
    });
    Ok(entries.collect())
}

/// The paths of the tree that are ours or that we edit.
pub fn changes(project: &Project) -> Result<Vec<String>> {
    let repo = Repo::at(project.tree());
    let changes = repo.differences(&format!("{APPLIED}^"), APPLIED)?;
    let there = changes.into_iter().filter(|(_, entry)| entry.is_some());
    Ok(there.map(|(path, _)| path).collect())
}

/// The lines that we add to a file of the tree.
pub fn added(project: &Project, path: &str) -> Result<String> {
    let repo = Repo::at(project.tree());
    let before = format!("{APPLIED}^");
    let diff = repo.run(["diff", "--unified=0", &before, APPLIED, "--", path])?;
    let added = diff.lines().filter_map(|line| line.strip_prefix('+'));
    Ok(added.map(|line| format!("{line}\n")).collect())
}

/// Names what a tree's Kconfig files say: the same name, the same files.
pub fn kconfig(tree: &Path) -> Result<String> {
    let repo = Repo::at(tree);
    let ours = repo.run(["rev-parse", &format!("{APPLIED}^{{tree}}")])?;
    let edited = repo.run(["diff", APPLIED, "--", "*Kconfig*"])?;
    let mut hasher = DefaultHasher::new();
    edited.hash(&mut hasher);
    Ok(format!("{ours} {:x}", hasher.finish()))
}

fn mode_of(file: &Path) -> Result<&'static str> {
    let executable = fs::metadata(file)?.permissions().mode() & 0o111 != 0;
    Ok(if executable { "100755" } else { "100644" })
}

/// The kernel's own files as we edit them.
fn edited(
    project: &Project,
    repo: &Repo,
    pristine: &str,
    edits: &Edits,
) -> Result<BTreeMap<String, String>> {
    let list = project.root().join(EDITS);
    edits
        .apply(|path| repo.show(pristine, path))?
        .map_err(|failures| {
            let failures: Vec<String> = failures.iter().map(|it| format!("\n  {it}")).collect();
            fault(
                format!("this kernel cannot be patched:{}", failures.concat()),
                format!(
                    "its code has moved; adapt {} (nothing was changed)",
                    list.display()
                ),
            )
        })
}
