// SPDX-License-Identifier: GPL-2.0

//! The patches as commits over the tree that they are for.

use std::path::Path;

use anyhow::Result;

use super::changes;
use super::patches::{self, Part, Patch};
use crate::base::error::{fault, Help};
use crate::base::process::{command, output};
use crate::base::project::Project;
use crate::build::tree::git::Repo;
use crate::build::tree::{self, overlay};

/// What nobody but who submits the patches can say.
#[derive(Default)]
pub struct Submitter {
    /// Name and address.
    pub signs: Option<[String; 2]>,
    /// Lines such as `Assisted-by: ...`.
    pub trailers: Vec<String>,
}

impl Submitter {
    pub fn new(project: &Project, signs: bool, trailers: &[String]) -> Result<Self> {
        for trailer in trailers {
            refuse_odd(trailer)?;
        }
        Ok(Self {
            signs: signs.then(|| who_is_at_work(project)).transpose()?,
            trailers: trailers.to_vec(),
        })
    }

    /// Has git take who signs as the author and the committer.
    pub fn env(&self) -> Vec<(&'static str, &Path)> {
        let Some(signs) = &self.signs else {
            return Vec::new();
        };
        let [name, email] = signs.each_ref().map(Path::new);
        vec![
            ("GIT_AUTHOR_NAME", name),
            ("GIT_AUTHOR_EMAIL", email),
            ("GIT_COMMITTER_NAME", name),
            ("GIT_COMMITTER_EMAIL", email),
        ]
    }

    /// The message of a commit that mends what the commit `fixes` brought.
    fn message(&self, patch: &Patch, fixes: Option<String>) -> String {
        let signs = self.signs.iter();
        let signs = signs.map(|[name, email]| format!("Signed-off-by: {name} <{email}>"));
        let trailers = fixes.into_iter().chain(self.trailers.iter().cloned());
        let trailers: Vec<String> = trailers.chain(signs).collect();
        let message = format!("{}\n\n{}\n", patch.subject, patch.body.trim_end());
        match trailers.is_empty() {
            true => message,
            false => format!("{message}\n{}\n", trailers.join("\n")),
        }
    }
}

/// Commits the patches of all parts, and returns the last commit of each.
pub fn make(
    project: &Project,
    repo: &Repo,
    base: &str,
    parts: &[Part],
    submitter: &Submitter,
) -> Result<Vec<String>> {
    let (edits, ours) = (tree::edits(project)?, overlay::files(project)?);
    let patches = patches::of_parts(parts);
    let of_files = patches::of_files(&patches, &edits, &ours)?;
    let scratch = tempfile::tempdir()?;
    let mut versions =
        changes::versions(project, &patches, ours, &of_files, scratch.path())?.into_iter();

    let (mut index, mut last, mut lasts) = (0, base.to_owned(), Vec::new());
    for part in parts {
        for (patch, mut files) in part.patches.iter().zip(&mut versions) {
            let edits = edits.of(|name| patches[..=index].iter().any(|patch| patch.name == name));
            files.retain(|path, _| of_files[path] <= index);
            let tree = tree::patched(repo, base, &edits, files)?;
            let message = submitter.message(patch, fixes(repo, base, patch)?);
            last = repo.commit_as(&submitter.env(), &last, &tree, &message)?;
            index += 1;
        }
        lasts.push(last.clone());
    }
    Ok(lasts)
}

/// Which commit brought the line that a patch mends, as far as the tree's history tells.
fn fixes(repo: &Repo, base: &str, patch: &Patch) -> Result<Option<String>> {
    let Some(mends) = &patch.mends else {
        return Ok(None);
    };
    let log = ["log", "--reverse", "--format=%H %P", "-S", &mends.line];
    let found = repo.run(log.into_iter().chain([base, "--", &mends.file]))?;
    let first = found.lines().next().unwrap_or_default();
    // One without a parent is where the history begins, and not where the line comes from.
    match first.split_once(' ') {
        Some((commit, parent)) if !parent.is_empty() => {
            let show = ["log", "-1", "--abbrev=12", "--format=Fixes: %h (\"%s\")"];
            repo.run(show.into_iter().chain([commit])).map(Some)
        }
        _ => Ok(None),
    }
}

fn refuse_odd(trailer: &str) -> Result<()> {
    let name = trailer.split_once(": ").map_or("", |(name, _)| name);
    let is_name = |c: char| c.is_ascii_alphabetic() || c == '-';
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(fault(
            format!("`{trailer}` is no trailer"),
            "write it as it is to stand in the patches: TRAILER='Assisted-by: ...'",
        ));
    }
    if name.eq_ignore_ascii_case("Signed-off-by") {
        return Err(fault(
            "a sign-off is no trailer that can be given",
            "sign off as yourself: SIGNOFF=1",
        ));
    }
    Ok(())
}

/// Name and address of who git says is at work.
fn who_is_at_work(project: &Project) -> Result<[String; 2]> {
    let config = |key: &str| -> Result<String> {
        let help = format!("tell git who signs the series off: git config --global {key} ...");
        let git = command("git", ["config", "--get", key]).dir(project.root());
        Ok(output(&git).help(help)?.trim().to_owned())
    };
    Ok([config("user.name")?, config("user.email")?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::patches::Line;
    use fs_err as fs;

    fn patch(line: &str) -> Patch {
        let text = "name = 'a'\nsubject = 'KVM: Do'\nbody = 'It does.\n\n'";
        let mut patch: Patch = toml::from_str(&text.replace("\n\n'", "'")).unwrap();
        patch.mends = Some(Line {
            file: "a.c".to_owned(),
            line: line.to_owned(),
        });
        patch
    }

    #[test]
    fn trailers_are_the_last_paragraph() {
        let submitter = Submitter {
            signs: Some(["A B", "a@b"].map(String::from)),
            trailers: vec!["Assisted-by: LLM sparse".to_owned()],
        };
        assert_eq!(
            submitter.message(&patch(""), Some("Fixes: 123 (\"x\")".to_owned())),
            "KVM: Do\n\nIt does.\n\nFixes: 123 (\"x\")\nAssisted-by: LLM sparse\n\
             Signed-off-by: A B <a@b>\n"
        );
        let nobody = Submitter::default().message(&patch(""), None);
        assert_eq!(nobody, "KVM: Do\n\nIt does.\n");
    }

    #[test]
    fn only_a_trailer_is_one() {
        assert!(refuse_odd("Assisted-by: LLM").is_ok());
        for odd in ["Assisted-by", "LLM helped: a bit", "signed-off-by: A <a@b>"] {
            assert!(refuse_odd(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn what_is_mended_is_found_where_there_is_history() {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repo::init(dir.path()).unwrap();
        let mut last = None;
        for text in ["old();\n", "old();\nnew();\n", "old();\nnew();\nend();\n"] {
            fs::write(dir.path().join("a.c"), text).unwrap();
            repo.run(["add", "a.c"]).unwrap();
            repo.run(["commit", "-q", "-m", &format!("Do {}", text.len())])
                .unwrap();
            last = repo.find("HEAD");
        }
        let base = last.unwrap();
        let fixes = |line: &str| fixes(&repo, &base, &patch(line)).unwrap();
        let commit = repo.run(["rev-parse", "--short=12", "HEAD^"]).unwrap();
        let expected = format!("Fixes: {commit} (\"Do 14\")");
        assert_eq!(fixes("new();"), Some(expected));
        assert_eq!(fixes("old();"), None);
        assert_eq!(fixes("none();"), None);
    }
}
