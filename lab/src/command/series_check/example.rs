// SPDX-License-Identifier: GPL-2.0

//! The worked example of a new register: made on top of the series, built, booted and tested.

use anyhow::{ensure, Result};
use fs_err as fs;

use crate::base::project::{Handlers, Project};
use crate::build::kernel;
use crate::build::selftests;
use crate::build::tree::git::Repo;
use crate::get::Toolchain;
use crate::model::hosts;
use crate::model::results::{Case, Report};
use crate::series::example;
use crate::verify::boots::Plan;
use crate::verify::selftests as check;

/// What the names of cases about it have.
const REGISTER: &str = "WORKAROUND_4";

/// A host that offers all levels of it.
const HOST: &str = "a53";

/// Makes the example in the tree of `taken`. Returns whether all is well.
pub fn run(taken: &Project, tools: &Toolchain) -> Result<bool> {
    let repo = Repo::at(taken.tree());
    for (path, text) in example::files(taken, &repo, "HEAD")? {
        fs::write(taken.tree().join(path), text)?;
    }
    kernel::ensure_rust(taken, tools, &taken.tree())?;
    selftests::ensure(taken, tools, &taken.tree())?;

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
