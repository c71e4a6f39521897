// SPDX-License-Identifier: GPL-2.0

//! The machine's own apt: what it offers, and installing from it.

use anyhow::{Context, Result};

use crate::fault::fault;
use crate::process::{command, find_program, logged, output};
use crate::project::Project;
use crate::ui::{say, Step};

pub fn is_there() -> bool {
    find_program("apt-get").is_some()
}

/// The version of a package that apt would install.
pub fn candidate(project: &Project, package: &str) -> Option<String> {
    if !is_there() {
        return None;
    }
    ensure_lists(project).ok()?;
    let policy = output(&command("apt-cache", ["policy", package])).ok()?;
    let candidate = policy
        .lines()
        .find_map(|line| line.trim().strip_prefix("Candidate: "))?;
    (candidate != "(none)").then(|| candidate.to_string())
}

/// How this user gets to run a command as root.
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

    fn command(&self, program: &str, args: &[&str]) -> duct::Expression {
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

/// Refreshes apt's lists if it has none, as in a new container: without them it knows no package.
pub fn ensure_lists(project: &Project) -> Result<()> {
    let lists = command("apt-get", ["indextargets", "--format", "$(FILENAME)"]);
    let known = output(&lists).is_ok_and(|files| {
        files
            .lines()
            .any(|file| std::path::Path::new(file).exists())
    });
    if known {
        return Ok(());
    }
    match Root::find() {
        Root::Never => Err(fault(
            "apt has no package lists",
            "run as root: apt-get update",
        )),
        root => update(project, &root),
    }
}

fn update(project: &Project, root: &Root) -> Result<()> {
    let step = Step::spinner("apt: reading package lists");
    logged(
        "apt-get update",
        &root.command("apt-get", &["update"]),
        &project.log("apt-update"),
        |line| step.message(format!("apt: {line}")),
    )
}

/// Installs packages, all at once.
pub fn install(project: &Project, packages: &[String]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let names = packages.join(" ");
    if !is_there() {
        return Err(fault(
            format!("tools are missing, and there is no apt to install them: {names}"),
            "these are Debian's package names; install what they hold and try again",
        ));
    }
    let by_hand = format!("apt-get update && apt-get install -y --no-install-recommends {names}");
    let root = Root::find();
    if let Root::Never = root {
        return Err(fault(
            format!("packages are missing: {names}"),
            format!("run as root: {by_hand}"),
        ));
    }
    update(project, &root).or_else(|error| {
        // The lists of yesterday often still do; if not, the installation says so.
        say(format!("warning: {error:#}"));
        Ok::<(), anyhow::Error>(())
    })?;

    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(packages.iter().map(String::as_str));
    let try_install = || {
        let step = Step::spinner(format!("apt: installing {names}"));
        logged(
            "apt-get install",
            &root.command("apt-get", &args),
            &project.log("apt-install"),
            |line| step.message(format!("apt: {line}")),
        )
    };
    // dpkg sometimes fails half-way and succeeds on a second try.
    let installed = try_install().or_else(|_| {
        let configure = root.command("dpkg", &["--configure", "-a"]);
        let log = project.log("dpkg-configure");
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

fn installed_version(package: &str) -> Option<String> {
    let query = command("dpkg-query", ["-W", "-f", "${Version}", package]);
    output(&query).ok()
}
