// SPDX-License-Identifier: GPL-2.0

//! Python packages, in an environment of their own below `out/cache/`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;

use super::apt::Apt;
use crate::base::disk::{is_made_with, note_made_with, whole_dir, Lock};
use crate::base::error::Help;
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;

/// A Python with the packages that a list of requirements names, each of them with its hash.
/// Returns its interpreter.
pub fn ensure(project: &Project, name: &str, requirements: &Path) -> Result<PathBuf> {
    let _lock = Lock::take(&project.out(""), "tools")?;
    // Debian has parted them from Python.
    if output(&command("python3", ["-c", "import ensurepip, venv"])).is_err() {
        Apt::find(project).install(&["python3-venv".to_owned()])?;
    }
    let made_with = fs::read_to_string(requirements)? + &output(&command("python3", ["-VV"]))?;
    let dir = project.out(format!("cache/python-{name}"));
    if !is_made_with(&dir, &made_with) {
        let step = Step::spinner(format!("getting Python packages for `{name}`"));
        whole_dir(&dir, |dir| {
            let place = dir.to_string_lossy();
            output(&command("python3", ["-m", "venv", &place]))?;
            let pip = ["-m", "pip", "install", "--disable-pip-version-check"].map(AsRef::as_ref);
            let list = [
                "--require-hashes".as_ref(),
                "--requirement".as_ref(),
                requirements,
            ];
            let pip = command(&format!("{place}/bin/python"), pip.into_iter().chain(list));
            logged("pip install", &pip, &project.log("pip"), |line| {
                step.message(line.trim());
            })
            .help("is there a network? pip takes its settings from pip.conf and the environment")?;
            note_made_with(dir, &made_with)
        })?;
        step.done(format!("got the Python packages for `{name}`"));
    }
    Ok(dir.join("bin/python"))
}
