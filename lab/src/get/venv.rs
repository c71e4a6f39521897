// SPDX-License-Identifier: GPL-2.0

//! Python packages, in an environment of their own below `out/cache/`.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use super::apt::{self, Apt};
use crate::base::disk::{whole_dir, Lock};
use crate::base::error::{fault, Help};
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;

/// The oldest Python that reads TOML by itself.
const MINIMUM: &str = "3.11";

/// A Python with the packages that a list of requirements names, each of them with its hash.
/// Returns its interpreter.
pub fn ensure(project: &Project, name: &str, requirements: &Path) -> Result<PathBuf> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    ensure_python(project)?;
    let mut hasher = DefaultHasher::new();
    // Another list gets another place, and so does another Python.
    fs::read(requirements)?.hash(&mut hasher);
    output(&command("python3", ["-VV"]))?.hash(&mut hasher);
    let dir = project.out(format!(
        "cache/python-{name}-{:08x}",
        hasher.finish() as u32
    ));
    let python = dir.join("bin/python");
    if python.exists() {
        return Ok(python);
    }
    let step = Step::spinner(format!("getting Python packages for `{name}`"));
    whole_dir(&dir, |dir| {
        output(&command(
            "python3",
            ["-m".into(), "venv".into(), dir.to_path_buf()],
        ))?;
        let pip = command(
            &dir.join("bin/python").to_string_lossy(),
            [
                "-m".into(),
                "pip".into(),
                "install".into(),
                "--disable-pip-version-check".into(),
                "--require-hashes".into(),
                "--requirement".into(),
                requirements.to_path_buf(),
            ],
        );
        logged("pip install", &pip, &project.log("pip"), |line| {
            step.message(line.trim().to_owned());
        })
        .help("is there a network? pip takes its settings from pip.conf and the environment")
    })?;
    step.done(format!("got the Python packages for `{name}`"));
    Ok(python)
}

/// Refuses a Python that is too old, and gets what Debian has parted from it.
fn ensure_python(project: &Project) -> Result<()> {
    let (major, minor) = MINIMUM.split_once('.').unwrap_or_default();
    let new = format!("import sys; sys.exit(sys.version_info < ({major}, {minor}))");
    if output(&command("python3", ["-c", &new])).is_err() {
        return Err(fault(
            format!("no Python {MINIMUM} or newer"),
            "put one on PATH as `python3`",
        ));
    }
    match output(&command("python3", ["-c", "import ensurepip, venv"])) {
        Ok(_) => Ok(()),
        Err(_) => apt::install(Apt::find(project).as_ref(), &["python3-venv".to_owned()]),
    }
}
