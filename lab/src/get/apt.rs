// SPDX-License-Identifier: GPL-2.0

//! The machine's own apt: what it offers, and installing from it.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use anyhow::{bail, Result};

use crate::base::error::{fault, Help};
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;

/// apt, whose package lists are updated before anything is chosen from them.
pub struct Apt {
    pub is_there: bool,
    get: String,
    cache: String,
    log: PathBuf,
    /// What a command begins with to run as root; none where this user cannot.
    as_root: Option<&'static [&'static str]>,
    is_updated: Cell<bool>,
}

impl Apt {
    pub fn find(project: &Project) -> Self {
        let as_root: Option<&[&str]> = match rustix::process::geteuid().is_root() {
            true => Some(&["env"]),
            // sudo drops the environment.
            false => output(&command("sudo", ["-n", "true"]))
                .is_ok()
                .then_some(&["sudo", "-n", "env"]),
        };
        Self {
            is_there: find_program("apt-get").is_some(),
            get: "apt-get".to_owned(),
            cache: "apt-cache".to_owned(),
            log: project.log("apt"),
            as_root,
            is_updated: Cell::new(false),
        }
    }

    /// The version of a package that apt would install.
    pub fn candidate(&self, package: &str) -> Option<String> {
        if !self.is_there || self.update().is_err() {
            return None;
        }
        let policy = output(&command(&self.cache, ["policy", package])).ok()?;
        let mut lines = policy.lines();
        let candidate = lines.find_map(|line| line.trim().strip_prefix("Candidate: "))?;
        (candidate != "(none)").then(|| candidate.to_owned())
    }

    /// Updates the package lists, once. Those that are there do where this fails.
    pub fn update(&self) -> Result<()> {
        if self.is_updated.replace(true) {
            return Ok(());
        }
        match self.run("reading apt's package lists", &[&self.get, "update"]) {
            Err(error) if self.has_lists() => {
                say(format!("warning: {error:#}"));
                Ok(())
            }
            updated => updated.help("run as root: apt-get update"),
        }
    }

    /// Whether there are package lists, which a new container lacks.
    pub fn has_lists(&self) -> bool {
        let lists = command(&self.get, ["indextargets", "--format", "$(FILENAME)"]);
        output(&lists).is_ok_and(|files| files.lines().any(|file| Path::new(file).exists()))
    }

    /// Installs packages, all at once.
    pub fn install(&self, packages: &[String]) -> Result<()> {
        let names = packages.join(" ");
        if packages.is_empty() {
            return Ok(());
        } else if !self.is_there {
            return Err(fault(
                format!("tools are missing, and there is no apt to install them: {names}"),
                "these are Debian's package names; install what they hold and try again",
            ));
        } else if self.as_root.is_none() {
            return Err(fault(
                format!("packages are missing: {names}"),
                format!(
                    "run as root: apt-get update && \
                     apt-get install -y --no-install-recommends {names}"
                ),
            ));
        }
        self.update()?;
        let what = format!("installing {names}");
        let mut args = vec![&*self.get, "install", "-y", "--no-install-recommends"];
        args.extend(packages.iter().map(String::as_str));
        // dpkg sometimes fails half-way and succeeds on a second try.
        self.run(&what, &args).or_else(|_| {
            self.run("configuring packages", &["dpkg", "--configure", "-a"])?;
            self.run(&what, &args)
        })?;
        say(format!("installed {names}"));
        Ok(())
    }

    fn run(&self, what: &str, args: &[&str]) -> Result<()> {
        let Some(as_root) = self.as_root else {
            bail!("{what} needs root");
        };
        let args = [as_root, &["DEBIAN_FRONTEND=noninteractive"], args].concat();
        let step = Step::spinner(what);
        logged(what, &command(args[0], &args[1..]), &self.log, |line| {
            step.message(format!("apt: {line}"));
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fs_err as fs;
    use std::os::unix::fs::PermissionsExt;

    /// An apt that knows clang-19, and clang-22 once it is updated. It notes how it is called.
    const SCRIPT: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$1" >> calls
case $1 in
update) ! [ -e offline ] && touch updated lists ;;
indextargets) echo "$PWD/lists" ;;
policy) case $2 in
	clang-19) echo "  Candidate: 19" ;;
	clang-22) [ -e updated ] && echo "  Candidate: 22" || echo "  Candidate: (none)" ;;
	esac ;;
esac
"#;

    fn fake(dir: &Path) -> Apt {
        let script = dir.join("apt");
        fs::write(&script, SCRIPT).unwrap();
        fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let script = script.to_str().unwrap().to_owned();
        Apt {
            is_there: true,
            get: script.clone(),
            cache: script,
            log: dir.join("log"),
            as_root: Some(&["env"]),
            is_updated: Cell::new(false),
        }
    }

    fn calls(dir: &Path) -> Vec<String> {
        let calls = fs::read_to_string(dir.join("calls")).unwrap();
        calls.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lists_are_updated_once_and_before_the_first_choice() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("lists"), "").unwrap();
        let apt = fake(dir.path());
        assert_eq!(apt.candidate("clang-22").as_deref(), Some("22"));
        assert_eq!(apt.candidate("clang-19").as_deref(), Some("19"));
        assert_eq!(calls(dir.path()), ["update", "policy", "policy"]);
    }

    #[test]
    fn only_what_is_missing_is_installed_and_all_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let apt = fake(dir.path());
        apt.install(&[]).unwrap();
        assert!(!dir.path().join("calls").exists());
        apt.install(&["flex".to_owned(), "bison".to_owned()])
            .unwrap();
        assert_eq!(calls(dir.path()), ["update", "install"]);
    }

    #[test]
    fn without_apt_nothing_is_chosen_from_it() {
        let dir = tempfile::tempdir().unwrap();
        let apt = Apt {
            is_there: false,
            ..fake(dir.path())
        };
        assert_eq!(apt.candidate("clang-19"), None);
        assert!(apt.install(&["flex".to_owned()]).is_err());
        assert!(!dir.path().join("calls").exists());
    }

    #[test]
    fn who_is_not_root_is_told_what_to_run() {
        let dir = tempfile::tempdir().unwrap();
        let apt = Apt {
            as_root: None,
            ..fake(dir.path())
        };
        let error = apt.install(&["flex".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "packages are missing: flex");
        assert!(!dir.path().join("calls").exists());
    }

    #[test]
    fn without_a_network_the_lists_that_are_there_do() {
        let dir = tempfile::tempdir().unwrap();
        for file in ["offline", "lists"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let apt = fake(dir.path());
        assert_eq!(apt.candidate("clang-22"), None);
        assert_eq!(apt.candidate("clang-19").as_deref(), Some("19"));

        fs::remove_file(dir.path().join("lists")).unwrap();
        assert!(fake(dir.path()).update().is_err());
    }
}
