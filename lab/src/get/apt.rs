// SPDX-License-Identifier: GPL-2.0

//! The machine's own apt: what it offers, and installing from it.

use std::cell::Cell;
use std::path::Path;

use anyhow::{Context, Result};

use crate::base::error::{fault, Help};
use crate::base::process::{command, find_program, logged, output};
use crate::base::progress::{say, Step};
use crate::base::project::Project;

pub fn is_there() -> bool {
    find_program("apt-get").is_some()
}

/// apt, whose package lists are updated before anything is chosen from them.
pub struct Apt<'a> {
    project: &'a Project,
    get: String,
    cache: String,
    root: Root,
    is_updated: Cell<bool>,
}

/// How this user gets to run a command as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Already,
    Sudo,
    Never,
}

impl Root {
    fn find() -> Self {
        if rustix::process::geteuid().is_root() {
            return Root::Already;
        }
        let sudo = command("sudo", ["-n", "true"]).stdout_null().stderr_null();
        match sudo.unchecked().run() {
            Ok(output) if output.status.success() => Root::Sudo,
            _ => Root::Never,
        }
    }

    fn command(self, program: &str, args: &[&str]) -> duct::Expression {
        let (program, args) = match self {
            // sudo drops the environment, so it is given on its command line.
            Root::Sudo => {
                let prefix = ["-n", "env", "DEBIAN_FRONTEND=noninteractive", program];
                ("sudo", [&prefix, args].concat())
            }
            Root::Already | Root::Never => (program, args.to_vec()),
        };
        command(program, args).env("DEBIAN_FRONTEND", "noninteractive")
    }
}

impl<'a> Apt<'a> {
    /// The machine's apt; none where it is not Debian's.
    pub fn find(project: &'a Project) -> Option<Self> {
        is_there().then(|| Self {
            project,
            get: "apt-get".to_owned(),
            cache: "apt-cache".to_owned(),
            root: Root::find(),
            is_updated: Cell::new(false),
        })
    }

    /// The version of a package that apt would install.
    pub fn candidate(&self, package: &str) -> Option<String> {
        self.update().ok()?;
        let policy = output(&command(&self.cache, ["policy", package])).ok()?;
        let candidate = policy
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "))?;
        (candidate != "(none)").then(|| candidate.to_string())
    }

    /// Updates the package lists, once. Those that are there do where this fails.
    fn update(&self) -> Result<()> {
        if self.is_updated.replace(true) {
            return Ok(());
        }
        let updated = match self.root {
            Root::Never => Err(anyhow::anyhow!("apt's package lists are not updated")),
            root => {
                let step = Step::spinner("apt: reading package lists");
                logged(
                    "apt-get update",
                    &root.command(&self.get, &["update"]),
                    &self.project.log("apt-update"),
                    |line| step.message(format!("apt: {line}")),
                )
            }
        };
        match updated {
            Err(error) if self.has_lists() => {
                say(format!("warning: {error:#}"));
                Ok(())
            }
            updated => updated.help("run as root: apt-get update"),
        }
    }

    /// Gets the package lists where there are none, as in a new container.
    pub fn ensure_lists(&self) -> Result<()> {
        match self.has_lists() {
            true => Ok(()),
            false => self.update(),
        }
    }

    fn has_lists(&self) -> bool {
        let lists = command(&self.get, ["indextargets", "--format", "$(FILENAME)"]);
        output(&lists).is_ok_and(|files| files.lines().any(|file| Path::new(file).exists()))
    }

    fn install(&self, packages: &[String]) -> Result<()> {
        let names = packages.join(" ");
        if self.root == Root::Never {
            let by_hand =
                format!("apt-get update && apt-get install -y --no-install-recommends {names}");
            return Err(fault(
                format!("packages are missing: {names}"),
                format!("run as root: {by_hand}"),
            ));
        }
        self.update()?;
        let mut args = vec!["install", "-y", "--no-install-recommends"];
        args.extend(packages.iter().map(String::as_str));
        let try_install = || {
            let step = Step::spinner(format!("apt: installing {names}"));
            logged(
                "apt-get install",
                &self.root.command(&self.get, &args),
                &self.project.log("apt-install"),
                |line| step.message(format!("apt: {line}")),
            )
        };
        // dpkg sometimes fails half-way and succeeds on a second try.
        let installed = try_install().or_else(|_| {
            let configure = self.root.command("dpkg", &["--configure", "-a"]);
            let log = self.project.log("dpkg-configure");
            logged("dpkg --configure -a", &configure, &log, |_| ())?;
            try_install()
        });
        installed.with_context(|| format!("cannot install {names}"))?;
        for package in packages {
            if let Some(version) = installed_version(package) {
                say(format!("installed {package} {version}"));
            }
        }
        Ok(())
    }
}

/// Installs packages, all at once.
pub fn install(apt: Option<&Apt>, packages: &[String]) -> Result<()> {
    match apt {
        _ if packages.is_empty() => Ok(()),
        Some(apt) => apt.install(packages),
        None => Err(fault(
            format!(
                "tools are missing, and there is no apt to install them: {}",
                packages.join(" ")
            ),
            "these are Debian's package names; install what they hold and try again",
        )),
    }
}

fn installed_version(package: &str) -> Option<String> {
    let query = command("dpkg-query", ["-W", "-f", "${Version}", package]);
    output(&query).ok()
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

    fn fake<'a>(project: &'a Project, dir: &Path) -> Apt<'a> {
        let script = dir.join("apt");
        fs::write(&script, SCRIPT).unwrap();
        fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let script = script.to_str().unwrap().to_owned();
        Apt {
            project,
            get: script.clone(),
            cache: script,
            root: Root::Already,
            is_updated: Cell::new(false),
        }
    }

    fn calls(dir: &Path) -> Vec<String> {
        let calls = fs::read_to_string(dir.join("calls")).unwrap();
        calls.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lists_are_updated_once_and_before_the_first_choice() {
        let (project, dir) = (Project::here(), tempfile::tempdir().unwrap());
        fs::write(dir.path().join("lists"), "").unwrap();
        let apt = fake(&project, dir.path());
        assert_eq!(apt.candidate("clang-22").as_deref(), Some("22"));
        assert_eq!(apt.candidate("clang-19").as_deref(), Some("19"));
        assert_eq!(calls(dir.path()), ["update", "policy", "policy"]);
    }

    #[test]
    fn without_a_network_the_lists_that_are_there_do() {
        let (project, dir) = (Project::here(), tempfile::tempdir().unwrap());
        for file in ["offline", "lists"] {
            fs::write(dir.path().join(file), "").unwrap();
        }
        let apt = fake(&project, dir.path());
        assert_eq!(apt.candidate("clang-22"), None);
        assert_eq!(apt.candidate("clang-19").as_deref(), Some("19"));

        fs::remove_file(dir.path().join("lists")).unwrap();
        assert!(fake(&project, dir.path()).ensure_lists().is_err());
    }
}
