// SPDX-License-Identifier: GPL-2.0

//! `lab series`: everything of ours as patches for the kernel's mailing lists.
//!
//! They are commits over the tree that they are for, made from `lab/series/patches.toml`, our files
//! and the edits: what they come to is what `lab tree` makes.

pub mod check;
pub mod example;
mod patches;

use std::path::{Path, PathBuf};

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
use patches::Patches;

const COVER: &str = "0000-cover-letter.patch";
const RECIPIENTS: &str = "recipients.txt";

/// What git leaves in the cover letter for somebody to fill in.
const SUBJECT_HERE: &str = "*** SUBJECT HERE ***";
const BLURB_HERE: &str = "*** BLURB HERE ***";

/// What `lab/series/cover.txt` leaves to be filled in.
const BASE_HERE: &str = "{base}";

#[derive(Debug, Default, Args)]
pub struct Series {
    /// Make it for this commit of the kernel tree, instead of what is there
    #[arg(long, value_name = "COMMIT")]
    base: Option<String>,
    /// Sign it off as git's user.name and user.email, who also becomes its author
    #[arg(long)]
    sign_off: bool,
}

/// What the series is for.
pub struct Base {
    /// In our repository.
    pub commit: String,
    /// For people.
    about: String,
    /// Whether others have this commit, too.
    is_public: bool,
}

/// Who makes it.
pub struct Submitter {
    name: String,
    email: String,
}

/// The series as commits.
pub struct Commits {
    pub repo: Repo,
    pub base: Base,
    /// In order.
    patches: Vec<String>,
}

pub fn run(project: &Project, series: &Series) -> Result<()> {
    let into = project.base().join("series");
    let submitter = match series.sign_off {
        true => Some(Submitter::of(project)?),
        false => None,
    };
    tree::ensure(project)?;
    let commits = commits(project, series.base.as_deref(), submitter.as_ref())?;
    whole_dir(&into, |dir| {
        write(project, &commits, submitter.as_ref(), dir)
    })?;
    say(into.display().to_string());
    match submitter {
        Some(Submitter { name, email }) => say(format!("signed off by {name} <{email}>")),
        None => say("not signed off: that is the submitter's, with SIGNOFF=1"),
    }
    Ok(())
}

/// Makes the commits. The tree's files are left alone.
pub fn commits(
    project: &Project,
    base: Option<&str>,
    submitter: Option<&Submitter>,
) -> Result<Commits> {
    let (repo, pristine) = tree::pristine(project)?;
    let base = Base::find(project, &repo, pristine, base)?;
    let patches = Patches::load(project)?;
    let (edits, files) = (tree::edits(project)?, overlay::files(project)?);
    let of_files = patches.of_files(&edits, &files)?;

    let (mut made, mut parent) = (Vec::new(), base.commit.clone());
    for (index, patch) in patches.iter().enumerate() {
        let edits = edits.of(|name| patches.is_there(name, index + 1));
        let files = files.iter().filter(|(path, _)| of_files[*path] <= index);
        let files = files.map(|(path, file)| (path.clone(), file.clone()));
        let tree = tree::patched(&repo, &base.commit, &edits, files.collect())?;
        let mut message = patch.message();
        if let Some(Submitter { name, email }) = submitter {
            message += &format!("\nSigned-off-by: {name} <{email}>\n");
        }
        let env = submitter.map(Submitter::env).unwrap_or_default();
        parent = repo.commit_as(&env, &parent, &tree, &message)?;
        made.push(parent.clone());
    }
    Ok(Commits {
        repo,
        base,
        patches: made,
    })
}

/// Writes the patches, the cover letter and whom they are for into a directory.
pub fn write(
    project: &Project,
    commits: &Commits,
    submitter: Option<&Submitter>,
    into: &Path,
) -> Result<()> {
    let (repo, base) = (&commits.repo, &commits.base);
    let last = commits.patches.last().context("a series without patches")?;
    let range = format!("{}..{last}", base.commit);
    let of_base = format!("--base={}", base.commit);
    let into_text = into.to_string_lossy();
    let mut args = vec!["format-patch", "--quiet", "--rfc", "--cover-letter", "-M"];
    args.extend(["--histogram", "-o", &into_text]);
    if base.is_public {
        args.push(&of_base);
    }
    args.push(&range);
    let env = submitter.map(Submitter::env).unwrap_or_default();
    output(&repo.git_with(&env, args))?;

    let cover = into.join(COVER);
    let text = fs::read_to_string(project.root().join("lab/series/cover.txt"))?;
    let text = text.replace(BASE_HERE, &base.about);
    fs::write(&cover, letter(&fs::read_to_string(&cover)?, &text)?)?;
    fs::write(into.join(RECIPIENTS), recipients(project, &files(into)?)?)?;
    Ok(())
}

/// Fills in the cover letter that git made.
fn letter(of_git: &str, text: &str) -> Result<String> {
    let (subject, blurb) = text
        .split_once("\n\n")
        .context("a cover letter with no text")?;
    for place in [SUBJECT_HERE, BLURB_HERE] {
        ensure!(of_git.contains(place), "git's cover letter has no {place}");
    }
    let letter = of_git.replace(SUBJECT_HERE, subject);
    Ok(letter.replace(BLURB_HERE, blurb.trim_end()))
}

/// The patches in a directory, in order, without the cover letter.
pub fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let is_patch = path
            .extension()
            .is_some_and(|extension| extension == "patch");
        if is_patch && !path.ends_with(COVER) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Whom the kernel's own script names for them.
fn recipients(project: &Project, patches: &[PathBuf]) -> Result<String> {
    let options = ["scripts/get_maintainer.pl", "--no-git", "--no-git-fallback"];
    let options = options.into_iter().map(Into::into);
    let patches = patches.iter().map(|patch| patch.clone().into_os_string());
    let script = command("perl", options.chain(patches)).dir(project.tree());
    output(&script)
}

impl Base {
    fn find(
        project: &Project,
        repo: &Repo,
        pristine: String,
        wanted: Option<&str>,
    ) -> Result<Self> {
        let about = repo.run(["log", "-1", "--format=%s", &pristine])?;
        let found = project.kdir().and_then(|kdir| {
            let revision = format!("{}^{{commit}}", wanted.unwrap_or("HEAD"));
            Repo::at(kdir).find(&revision)
        });
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
                Ok(Self::public(commit))
            }
            (Some(commit), None) if tree(&commit) == tree(&pristine) => Ok(Self::public(commit)),
            _ => Ok(Self {
                commit: pristine,
                about,
                is_public: false,
            }),
        }
    }

    fn public(commit: String) -> Self {
        Self {
            about: format!("commit {commit:.12}"),
            commit,
            is_public: true,
        }
    }
}

impl Submitter {
    /// Who git says is at work.
    fn of(project: &Project) -> Result<Self> {
        let config = |key: &str| {
            let git = command("git", ["config", "--get", key]).dir(project.root());
            let value = output(&git).help(format!(
                "tell git who signs the series off: git config --global {key} ..."
            ));
            Ok::<_, anyhow::Error>(value?.trim().to_owned())
        };
        Ok(Self {
            name: config("user.name")?,
            email: config("user.email")?,
        })
    }

    fn env(&self) -> Vec<(&'static str, &Path)> {
        let (name, email) = (Path::new(&self.name), Path::new(&self.email));
        vec![
            ("GIT_AUTHOR_NAME", name),
            ("GIT_AUTHOR_EMAIL", email),
            ("GIT_COMMITTER_NAME", name),
            ("GIT_COMMITTER_EMAIL", email),
        ]
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
}
