// SPDX-License-Identifier: GPL-2.0

//! The worked example of a new register.

use std::collections::BTreeMap;

use anyhow::{bail, Result};

use crate::base::project::Project;
use crate::build::tree::edits::Edits;
use crate::build::tree::git::Repo;

const EXAMPLE: &str = "lab/example/workaround-4.toml";

/// The files of a tree with the example in them.
pub fn files(project: &Project, repo: &Repo, revision: &str) -> Result<BTreeMap<String, String>> {
    let edits = Edits::load(&project.root().join(EXAMPLE))?;
    match edits.apply(|path| repo.show(revision, path))? {
        Ok(files) => Ok(files),
        Err(failures) => {
            let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
            bail!("{EXAMPLE} does not fit:\n{}", failures.join("\n"))
        }
    }
}
