// SPDX-License-Identifier: GPL-2.0

//! `lab series`: everything of ours as patches for the kernel's mailing lists.
//!
//! They are commits over the tree that they are for, made from `lab/series/patches.toml`, our files
//! and the edits: what they come to is what `lab tree` makes. Each part has a directory, with a
//! cover letter of its own, and is on top of those before.

mod b4;
mod changes;
pub mod check;
mod commits;
mod patches;

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use clap::Args;
use fs_err as fs;

use crate::base::disk::{whole_dir, Lock};
use crate::base::error::fault;
use crate::base::process::{command, output};
use crate::base::progress::say;
use crate::base::project::Project;
use crate::build::tree;
use crate::build::tree::git::Repo;
use crate::get::source::version_in;
pub use commits::Submitter;

/// What git leaves in the cover letter for somebody to fill in.
const SUBJECT_HERE: &str = "*** SUBJECT HERE ***";
const BLURB_HERE: &str = "*** BLURB HERE ***";

#[derive(Debug, Args)]
pub struct Series {
    /// Make this part alone: prepare, rust, strict or samples
    #[arg(long)]
    part: Option<String>,
    /// Make it for this commit of the kernel tree, instead of what is there
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// Sign it off as git's user.name and user.email, who also becomes its author
    #[arg(long)]
    sign_off: bool,
    /// Put this line at the end of each message, such as 'Assisted-by: ...'; several with `;` between
    #[arg(long, value_name = "LINE", value_delimiter = ';')]
    trailer: Vec<String>,
    /// Make a branch of each part, too, in the copy of the tree, as `b4 prep` keeps it
    #[arg(long)]
    b4: bool,
}

/// The series in a directory.
pub struct Made {
    pub repo: Repo,
    /// The commit that it is for.
    pub base: String,
    pub parts: Vec<Part>,
}

/// A part in a directory of its own.
pub struct Part {
    pub name: String,
    dir: PathBuf,
    /// The commit that it is on top of.
    on: String,
    last: String,
    /// Its subject in the first line, and what it is about.
    cover: String,
    /// The files of the patches, in order.
    pub patches: Vec<String>,
    /// As `get_maintainer.pl` names them.
    pub recipients: String,
}

impl Made {
    /// The files of the patches of all parts, in order.
    pub fn patches(&self) -> impl Iterator<Item = &String> {
        self.parts.iter().flat_map(|part| &part.patches)
    }
}

pub fn run(project: &Project, series: &Series) -> Result<()> {
    let into = project.base().join("series");
    let submitter = Submitter::new(project, series.sign_off, &series.trailer)?;
    let parts = patches::load()?;
    if let Some(wanted) = &series.part {
        let names: Vec<&str> = parts.iter().map(|part| &*part.name).collect();
        if !names.contains(&&**wanted) {
            return Err(fault(
                format!("the series has no part `{wanted}`"),
                format!("pass one of these, or none for all: {}", names.join(", ")),
            ));
        }
    }
    tree::ensure(project)?;
    let _lock = Lock::take(&project.base(), "series")?;
    whole_dir(&into, |dir| {
        let made = make(project, series.base.as_deref(), &submitter, dir)?;
        // Those before a part that is wanted are made all the same: it is on top of them.
        let is_wanted = |part: &&Part| series.part.as_ref().is_none_or(|name| *name == part.name);
        let (wanted, others): (Vec<_>, Vec<_>) = made.parts.iter().partition(is_wanted);
        for part in others {
            fs::remove_dir_all(&part.dir)?;
        }
        match series.b4 {
            true => b4::make(project, &made, &wanted, &submitter),
            false => Ok(()),
        }
    })?;
    say(into.display().to_string());
    say(match &submitter.signs {
        Some([name, email]) => format!("signed off by {name} <{email}>"),
        None => "not signed off: that is the submitter's, with SIGNOFF=1".to_owned(),
    });
    if submitter.trailers.is_empty() {
        say(
            "no tool is named that helped: that is the submitter's, too, with \
             TRAILER='Assisted-by: ...', see Documentation/process/coding-assistants.rst",
        );
    }
    Ok(())
}

/// Writes the patches, the cover letters and whom they are for into a directory. The tree's files
/// are left alone.
pub fn make(
    project: &Project,
    base: Option<&str>,
    submitter: &Submitter,
    into: &Path,
) -> Result<Made> {
    let (repo, base, is_public) = find_base(project, base)?;
    let parts = patches::load()?;
    let lasts = commits::make(project, &repo, &base, &parts, submitter)?;
    let about = match is_public {
        true => format!("commit {base:.12}"),
        false => repo.run(["log", "-1", "--format=%s", &base])?,
    };

    let (mut made, mut before) = (Vec::new(), &base);
    for (index, (part, last)) in parts.iter().zip(&lasts).enumerate() {
        let dir = into.join(dir_name(index, &part.name));
        let dir_text = dir.to_string_lossy();
        let (of_base, range) = (format!("--base={base}"), format!("{before}..{last}"));
        let args = ["format-patch", "--rfc", "--cover-letter", "-M"].into_iter();
        let args = args.chain(["--histogram", "-o", &dir_text]);
        let args = args.chain(is_public.then_some(&*of_base)).chain([&*range]);
        let printed = output(&repo.git_with(&submitter.env(), args))?;
        let mut files = printed.lines();

        let cover = files.next().context("git made no cover letter")?;
        let text = cover_letter(project, &part.name)?.replace("{base}", &about);
        fs::write(cover, letter(&fs::read_to_string(cover)?, &text)?)?;

        let patches: Vec<String> = files.map(str::to_owned).collect();
        let (count, written) = (part.patches.len(), patches.len());
        ensure!(
            written == count,
            "git made {written} files for {count} patches"
        );
        let recipients = get_maintainer(project, &patches)?;
        fs::write(dir.join("recipients.txt"), &recipients)?;
        made.push(Part {
            name: part.name.clone(),
            dir,
            on: before.clone(),
            last: last.clone(),
            cover: text,
            patches,
            recipients,
        });
        before = last;
    }
    Ok(Made {
        repo,
        base,
        parts: made,
    })
}

/// A part's directory. `*/*.patch` are all patches in their order.
fn dir_name(index: usize, part: &str) -> String {
    format!("{}-{part}", index + 1)
}

/// A part's cover letter: a line that is the subject, and what it is about.
fn cover_letter(project: &Project, part: &str) -> Result<String> {
    let file = project.root().join(format!("lab/series/{part}.txt"));
    Ok(fs::read_to_string(file)?)
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
    }

    #[test]
    fn each_part_has_a_cover_letter_as_wide_as_a_mail() {
        for part in patches::load().unwrap() {
            let text = cover_letter(&Project::here(), &part.name).unwrap();
            assert!(text.contains("{base}"), "{}", part.name);
            for line in text.lines() {
                assert!(line.len() <= patches::COLUMNS, "{line}");
            }
        }
    }
}
