// SPDX-License-Identifier: GPL-2.0

//! The worked example of a new register: made on top of the series, built, booted and tested.

use std::collections::BTreeMap;

use anyhow::{bail, ensure, Result};
use fs_err as fs;

use crate::check::{selftests as check, Plan};
use crate::hosts;
use crate::kernel;
use crate::project::{Handlers, Project};
use crate::results::{Case, Report};
use crate::selftests;
use crate::tree::edits::Edits;
use crate::tree::git::Repo;

const EXAMPLE: &str = "lab/example/workaround-4.toml";

/// What the names of cases about it have.
const REGISTER: &str = "WORKAROUND_4";

/// A host that offers all levels of it.
const HOST: &str = "a53";

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

/// Makes the example in the tree of `taken`. Returns whether all is well.
pub fn run(taken: &Project) -> Result<bool> {
    let repo = Repo::at(taken.tree());
    for (path, text) in files(taken, &repo, "HEAD")? {
        fs::write(taken.tree().join(path), text)?;
    }
    kernel::ensure_rust(taken)?;
    selftests::ensure(taken)?;

    let mut plan = Plan::default();
    check::plan_on(taken, &mut plan, HOST, Handlers::Rust)?;
    let boots = plan.boot(taken, &hosts::load(taken)?)?;
    let results = check::results(taken, &boots, HOST, Handlers::Rust)?;
    let groups = results.into_iter().map(|(place, _, cases)| (place, cases));
    let mut groups: Vec<_> = groups.collect();
    groups.push((
        String::new(),
        vec![Case::from_result(REGISTER, is_tested(&groups))],
    ));
    let mut report = Report::new(anstream::stdout());
    report.suite("example", groups)?;
    Ok(report.finish()?.good())
}

fn is_tested(groups: &[(String, Vec<Case>)]) -> Result<()> {
    let cases = groups.iter().flat_map(|(_, cases)| cases);
    let about = cases.filter(|case| case.name.contains(REGISTER)).count();
    ensure!(about > 0, "no selftest is about it");
    Ok(())
}
