// SPDX-License-Identifier: GPL-2.0

//! `lab series`: everything of ours as patches for the kernel's mailing lists.
//!
//! They are commits over the tree that they are for, made from `lab/series/patches.toml`, our files
//! and the edits: what they come to is what `lab tree` makes.

pub mod check;
mod patches;

use std::path::Path;

use anyhow::{ensure, Context, Result};
use clap::Args;
use fs_err as fs;

use crate::base::disk::whole_dir;
use crate::base::error::{fault, Help};
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::build::tree::git::Repo;
use crate::build::tree::{self, overlay};
use crate::get::source::version_in;
use patches::Patch;

const COVER: &str = include_str!("../series/cover.txt");

/// What git leaves in the cover letter for somebody to fill in.
const SUBJECT_HERE: &str = "*** SUBJECT HERE ***";
const BLURB_HERE: &str = "*** BLURB HERE ***";

#[derive(Debug, Args)]
pub struct Series {
    /// Make it for this commit of the kernel tree, instead of what is there
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// Sign it off as git's user.name and user.email, who also becomes its author
    #[arg(long)]
    sign_off: bool,
}

/// The series in a directory.
pub struct Made {
    pub repo: Repo,
    /// The commit that it is for.
    pub base: String,
    /// The files of the patches, in order.
    pub patches: Vec<String>,
    /// As `get_maintainer.pl` names them.
    pub recipients: String,
}

pub fn run(project: &Project, series: &Series) -> Result<()> {
    let into = project.base().join("series");
    let submitter = series.sign_off.then(|| submitter(project)).transpose()?;
    tree::ensure(project)?;
    whole_dir(&into, |dir| {
        make(project, series.base.as_deref(), submitter.as_ref(), dir).map(drop)
    })?;
    say(into.display().to_string());
    say(match submitter {
        Some([name, email]) => format!("signed off by {name} <{email}>"),
        None => "not signed off: that is the submitter's, with SIGNOFF=1".to_owned(),
    });
    Ok(())
}

/// Writes the patches, the cover letter and whom they are for into a directory. The tree's files
/// are left alone.
pub fn make(
    project: &Project,
    base: Option<&str>,
    submitter: Option<&[String; 2]>,
    into: &Path,
) -> Result<Made> {
    let (repo, base, is_public) = find_base(project, base)?;
    let env = submitter.map(env).unwrap_or_default();
    let list = patches::load()?;
    let last = commit(project, &repo, &base, &list, &env)?;

    let into_text = into.to_string_lossy();
    let (of_base, range) = (format!("--base={base}"), format!("{base}..{last}"));
    let args = ["format-patch", "--rfc", "--cover-letter", "-M"].into_iter();
    let args = args.chain(["--histogram", "-o", &into_text]);
    let args = args.chain(submitter.map(|_| "--signoff"));
    let args = args.chain(is_public.then_some(&*of_base)).chain([&*range]);
    let printed = output(&repo.git_with(&env, args))?;
    let mut files = printed.lines();

    let cover = files.next().context("git made no cover letter")?;
    let about = match is_public {
        true => format!("commit {base:.12}"),
        false => repo.run(["log", "-1", "--format=%s", &base])?,
    };
    let text = COVER.replace("{base}", &about);
    fs::write(cover, letter(&fs::read_to_string(cover)?, &text)?)?;

    let patches: Vec<String> = files.map(str::to_owned).collect();
    let (count, made) = (list.len(), patches.len());
    ensure!(made == count, "git made {made} files for {count} patches");
    let recipients = get_maintainer(project, &patches)?;
    fs::write(into.join("recipients.txt"), &recipients)?;
    Ok(Made {
        repo,
        base,
        patches,
        recipients,
    })
}

/// Commits the patches, and returns the last commit.
fn commit(
    project: &Project,
    repo: &Repo,
    base: &str,
    patches: &[Patch],
    env: &[(&str, &Path)],
) -> Result<String> {
    let (edits, ours) = (tree::edits(project)?, overlay::files(project)?);
    let of_files = patches::of_files(patches, &edits, &ours)?;
    let mut last = base.to_owned();
    for (index, patch) in patches.iter().enumerate() {
        let edits = edits.of(|name| patches[..=index].iter().any(|patch| patch.name == name));
        let mut files = ours.clone();
        files.retain(|path, _| of_files[path] <= index);
        let tree = tree::patched(repo, base, &edits, files)?;
        let message = format!("{}\n\n{}", patch.subject, patch.body);
        last = repo.commit_as(env, &last, &tree, &message)?;
    }
    Ok(last)
}

/// A patch's number and subject, as git has them in the name of its file.
pub fn name(patch: &str) -> &str {
    let file = patch.rsplit('/').next().unwrap_or(patch);
    file.trim_end_matches(".patch")
}

/// Fills in the cover letter that git made.
fn letter(of_git: &str, text: &str) -> Result<String> {
    let parts = text.split_once("\n\n");
    let (subject, blurb) = parts.context("a cover letter with no text")?;
    for place in [SUBJECT_HERE, BLURB_HERE] {
        ensure!(of_git.contains(place), "git's cover letter has no {place}");
    }
    let letter = of_git.replace(SUBJECT_HERE, subject);
    Ok(letter.replace(BLURB_HERE, blurb.trim_end()))
}

/// What the kernel's own script says: without options, whom it names for patches.
fn get_maintainer(project: &Project, args: &[String]) -> Result<String> {
    let script = ["scripts/get_maintainer.pl", "--no-git", "--no-git-fallback"];
    let script = script.into_iter().chain(args.iter().map(String::as_str));
    output(&command("perl", script).dir(project.tree()))
}

/// Our repository, the commit in it that the series is for, and whether others have it, too.
fn find_base(project: &Project, wanted: Option<&str>) -> Result<(Repo, String, bool)> {
    let (repo, pristine) = tree::pristine(project)?;
    let revision = format!("{}^{{commit}}", wanted.unwrap_or("HEAD"));
    let users = project.kdir().map(Repo::at);
    let found = users.and_then(|users| users.find(&revision));
    let tree = |commit: &str| repo.find(&format!("{commit}^{{tree}}"));
    match (found, wanted) {
        (None, Some(wanted)) => Err(fault(
            format!("there is no commit {wanted} in the kernel tree"),
            "pass a tree, and a commit that git knows there: KDIR=path BASE=commit",
        )),
        (Some(commit), Some(wanted)) => {
            let makefile = repo.show(&commit, "Makefile")?.unwrap_or_default();
            let version = version_in(&makefile)
                .with_context(|| format!("{wanted} has no kernel's Makefile"))?;
            tree::refuse_unsupported(project, &format!("BASE={wanted}"), version)?;
            Ok((repo, commit, true))
        }
        (Some(commit), None) if tree(&commit) == tree(&pristine) => Ok((repo, commit, true)),
        _ => Ok((repo, pristine, false)),
    }
}

/// Name and address of who git says is at work.
fn submitter(project: &Project) -> Result<[String; 2]> {
    let config = |key: &str| -> Result<String> {
        let help = format!("tell git who signs the series off: git config --global {key} ...");
        let git = command("git", ["config", "--get", key]).dir(project.root());
        Ok(output(&git).help(help)?.trim().to_owned())
    };
    Ok([config("user.name")?, config("user.email")?])
}

/// Has git take somebody as the author and the committer.
fn env(submitter: &[String; 2]) -> Vec<(&'static str, &Path)> {
    let [name, email] = submitter.each_ref().map(Path::new);
    vec![
        ("GIT_AUTHOR_NAME", name),
        ("GIT_AUTHOR_EMAIL", email),
        ("GIT_COMMITTER_NAME", name),
        ("GIT_COMMITTER_EMAIL", email),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_letter_is_filled_in() {
        let of_git = format!("Subject: [RFC PATCH 0/2] {SUBJECT_HERE}\n\n{BLURB_HERE}\n\nA (2):\n");
        let text = "KVM: Do\n\nIt does.\n\nFor all.\n";
        assert_eq!(
            letter(&of_git, text).unwrap(),
            "Subject: [RFC PATCH 0/2] KVM: Do\n\nIt does.\n\nFor all.\n\nA (2):\n"
        );
        assert!(letter("Subject: x\n", text).is_err());
        assert!(letter(&of_git, "KVM: Do\n").is_err());
        assert!(COVER.contains("{base}") && letter(&of_git, COVER).is_ok());
    }
}
