// SPDX-License-Identifier: GPL-2.0

//! A part as a branch of the tree copy, as `b4 prep` keeps it: a commit with the cover letter, on top
//! of it the patches. What somebody has done with that branch stays.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs_err as fs;
use serde_json::{json, Value};

use super::{Made, Part, Submitter};
use crate::base::error::fault;
use crate::base::process::{command, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;
use crate::build::tree::git::Repo;
use crate::get::venv;
use crate::verify::format;

/// What of the tree b4 and the kernel's scripts look at, besides the files at its top. There must be
/// something of each directory at the top, which tells them that it is a kernel's.
const SEEN: &str =
    "LICENSES scripts Documentation/process arch/arm64/kvm drivers/virt fs/nls include/kvm \
                    init ipc kernel/rcu lib/842";

/// What it has look at each patch.
const CHECK: &str = "scripts/checkpatch.pl --strict -q --terse --no-summary --mailback --showfile";

/// Where a cover letter ends, and b4's own notes begin.
const NOTES: &str = "--- b4-submit-tracking ---";

/// Makes the branches, and what b4 would send of them in the parts' directories.
pub fn make(project: &Project, made: &Made, parts: &[&Part], submitter: &Submitter) -> Result<()> {
    let requirements = project.root().join("lab/series/b4/requirements.txt");
    let python = venv::ensure(project, "b4", &requirements)?;
    let scratch = tempfile::tempdir()?;
    let clone = Clone::new(made, scratch.path(), python, submitter)?;
    let mut on = None;
    for part in &made.parts {
        if !parts.iter().any(|wanted| wanted.name == part.name) {
            // Those after it are on top of it.
            on = clone.change_id(&made.repo, &branch_of(part))?;
            continue;
        }
        let branch = branch_of(part);
        let _step = Step::spinner(format!("making the branch {branch}"));
        refuse_theirs(&made.repo, &branch)?;
        let id = clone.write(made, part, on.as_deref(), submitter)?;
        clone.check(project, part)?;
        let tip = Repo::at(&clone.dir).run(["rev-parse", "HEAD"])?;
        let from = clone.dir.to_string_lossy();
        made.repo.run(["fetch", "-q", &*from, &branch])?;
        for name in [format!("refs/heads/{branch}"), left(&branch)] {
            made.repo.run(["update-ref", &name, &tip])?;
        }
        say(format!("branch {branch}: {} patches", part.patches.len()));
        on = Some(id);
    }
    Ok(())
}

fn branch_of(part: &Part) -> String {
    format!("b4/fw-regs-{}", part.name)
}

/// What names the commit at which a branch was left.
fn left(branch: &str) -> String {
    format!("refs/lab/{branch}")
}

/// Refuses to make a branch anew in which somebody has worked, or works.
fn refuse_theirs(repo: &Repo, branch: &str) -> Result<()> {
    let head = repo.find(&format!("refs/heads/{branch}"));
    if head.is_some() && head != repo.find(&left(branch)) {
        return Err(fault(
            format!("the branch {branch} has commits that are not of this tool"),
            format!("keep them under another name: git branch -m {branch} ..."),
        ));
    }
    if repo.run(["symbolic-ref", "-q", "HEAD"]).ok() == Some(format!("refs/heads/{branch}")) {
        return Err(fault(
            format!("the branch {branch} is checked out"),
            "check another one out: git checkout lab",
        ));
    }
    Ok(())
}

/// A clone in which b4 works, with the little of the tree that it looks at.
struct Clone {
    dir: PathBuf,
    /// A Python that has b4.
    python: PathBuf,
    /// Who b4 takes as its user.
    user: [String; 2],
}

impl Clone {
    fn new(made: &Made, scratch: &Path, python: PathBuf, submitter: &Submitter) -> Result<Self> {
        let dir = scratch.join("linux");
        let place = dir.to_string_lossy();
        let clone = ["clone", "-q", "--shared", "--no-checkout", ".", &*place];
        made.repo.run(clone)?;
        let seen = SEEN.split_whitespace();
        let sparse = ["sparse-checkout", "set", "--cone"].into_iter();
        Repo::at(&dir).run(sparse.chain(seen))?;
        let nobody = || ["lab", "lab@localhost"].map(String::from);
        let user = submitter.signs.clone().unwrap_or_else(nobody);
        Ok(Self { dir, python, user })
    }

    fn b4(&self, args: &[&str]) -> duct::Expression {
        let [name, email] = &self.user;
        let misjudged = format::MISJUDGED.map(|(_, types)| types).join(",");
        let check = format!("{CHECK} --ignore {misjudged},FILE_PATH_CHANGES");
        let settings = [
            ("user.name", &**name),
            ("user.email", email),
            // There must be one, though nothing is sent.
            ("sendemail.smtpserver", "localhost"),
            ("b4.prep-perpatch-check-cmd", &*check),
        ];
        // The kernel's scripts in Python find their modules there, too.
        let bin = self.python.parent().unwrap_or(&self.python);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let b4 = ["-m", "b4.command", "--offline-mode"].into_iter();
        let mut run = command(
            &self.python.to_string_lossy(),
            b4.chain(args.iter().copied()),
        )
        .dir(&self.dir)
        .env("PATH", path)
        .env("HOME", &self.dir)
        .env("XDG_CACHE_HOME", self.dir.join(".git/cache"))
        .env("XDG_DATA_HOME", self.dir.join(".git/data"))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            run = run
                .env(format!("GIT_CONFIG_KEY_{index}"), key)
                .env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        run
    }

    /// Checks out what the branch of a part is to be, and returns its change id.
    fn write(
        &self,
        made: &Made,
        part: &Part,
        on: Option<&str>,
        submitter: &Submitter,
    ) -> Result<String> {
        let repo = Repo::at(&self.dir);
        let branch = branch_of(part);
        let notes = match cover_of(&made.repo, &branch)? {
            Some(message) => message,
            None => {
                repo.run(["checkout", "-q", "-B", "on", &part.on])?;
                let name = branch.trim_start_matches("b4/");
                output(&self.b4(&["prep", "-n", name, "-f", "on"]))?;
                repo.run(["log", "-1", "--format=%B"])?
            }
        };
        let (message, id) = cover(part, &notes, on, &made.base)?;
        let env = submitter.env();
        let tree = |commit: &str| repo.run(["rev-parse", &format!("{commit}^{{tree}}")]);
        let mut last = repo.commit_as(&env, &part.on, &tree(&part.on)?, &message)?;
        let range = format!("{}..{}", part.on, part.last);
        for commit in repo.run(["rev-list", "--reverse", &range])?.lines() {
            let message = repo.run(["log", "-1", "--format=%B", commit])?;
            last = repo.commit_as(&env, &last, &tree(commit)?, &message)?;
        }
        repo.run(["checkout", "-q", "-B", &branch, &last])?;
        Ok(id)
    }

    /// Has b4 look at what is checked out, and write what it would send.
    fn check(&self, project: &Project, part: &Part) -> Result<()> {
        let log = |step: &str| project.log(&format!("b4-{step}-{}", part.name));
        let mut said = Vec::new();
        let check = self.b4(&["prep", "--check"]);
        logged("b4 prep --check", &check, &log("check"), |line| {
            said.push(line.to_owned());
        })?;
        // It ends well whatever it has found.
        let sum = said.last().map_or("", String::as_str);
        say(format!("b4 prep --check, {}: {sum}", part.name));
        if !sum.contains("Warning: 0, Error: 0") {
            say(format!("see {}", log("check").display()));
        }
        let into = part.dir.join("b4");
        fs::create_dir_all(&into)?;
        let into = into.to_string_lossy();
        let send = self.b4(&["send", "--no-sign", "-o", &*into]);
        logged("b4 send", &send, &log("send"), |_| ())
    }

    /// The change id of a branch that was made before.
    fn change_id(&self, repo: &Repo, branch: &str) -> Result<Option<String>> {
        let Some(message) = cover_of(repo, branch)? else {
            return Ok(None);
        };
        let notes = notes_of(&message)?;
        Ok(notes["series"]["change-id"].as_str().map(str::to_owned))
    }
}

/// The message of a branch's cover letter, if there is such a branch.
fn cover_of(repo: &Repo, branch: &str) -> Result<Option<String>> {
    let branch = format!("refs/heads/{branch}");
    if repo.find(&branch).is_none() {
        return Ok(None);
    }
    let grep = format!("--grep={NOTES}");
    let log = ["log", "-1", "-F", &grep, "--format=%B", &branch];
    repo.run(log).map(Some)
}

/// What b4 has noted in a cover letter.
fn notes_of(message: &str) -> Result<Value> {
    let notes = message.split_once(NOTES).map(|(_, notes)| notes);
    let notes = notes.context("b4 has left no notes in the cover letter")?;
    let notes: String = notes
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    Ok(serde_json::from_str(&notes)?)
}

/// The message of the commit that is the cover letter, with the notes that b4 has left in `before`;
/// and the change id.
fn cover(part: &Part, before: &str, on: Option<&str>, base: &str) -> Result<(String, String)> {
    let mut notes = notes_of(before)?;
    let series = &mut notes["series"];
    series["prefixes"] = json!(["RFC"]);
    if let Some(on) = on {
        series["prerequisites"] = json!([
            format!("change-id: {on}:v1"),
            format!("base-commit: {base}")
        ]);
    }
    let id = series["change-id"]
        .as_str()
        .context("b4 has given no change id")?
        .to_owned();
    let addresses = part.recipients.lines().map(|line| {
        let address = line.split(" (").next().unwrap_or(line);
        let kind = if line.contains("(maintainer:") {
            "To"
        } else {
            "Cc"
        };
        format!("{kind}: {address}")
    });
    let addresses: Vec<String> = addresses.collect();
    let message = format!(
        "{}\n\n{}\n\n{NOTES}\n\
         # This section is used internally by b4 prep for tracking purposes.\n{}\n",
        part.cover.trim_end(),
        addresses.join("\n"),
        serde_json::to_string_pretty(&notes)?,
    );
    Ok((message, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cover_letter_keeps_what_b4_has_noted() {
        let part = Part {
            name: "rust".to_owned(),
            dir: PathBuf::new(),
            on: String::new(),
            last: String::new(),
            cover: "KVM: Do\n\nIt does.\n".to_owned(),
            patches: Vec::new(),
            recipients: "A B <a@b> (maintainer:KVM)\nl@b (open list:KVM)\n".to_owned(),
        };
        let before = format!(
            "EDITME\n\n{NOTES}\n# Notes.\n{{\n  \"series\": {{\n    \"revision\": 2,\n    \
             \"change-id\": \"x-1\"\n  }}\n}}\n"
        );
        let (message, id) = cover(&part, &before, Some("y-2"), "123").unwrap();
        assert_eq!(id, "x-1");
        let (text, _) = message.split_once(NOTES).unwrap();
        assert_eq!(text, "KVM: Do\n\nIt does.\n\nTo: A B <a@b>\nCc: l@b\n\n");
        let expected = json!({
            "revision": 2,
            "change-id": "x-1",
            "prefixes": ["RFC"],
            "prerequisites": ["change-id: y-2:v1", "base-commit: 123"],
        });
        assert_eq!(notes_of(&message).unwrap()["series"], expected);
        // Made anew, it has the same.
        assert_eq!(
            cover(&part, &message, Some("y-2"), "123").unwrap(),
            (message, id)
        );
        assert!(cover(&part, "EDITME\n", None, "123").is_err());
    }
}
