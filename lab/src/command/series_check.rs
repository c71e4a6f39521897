// SPDX-License-Identifier: GPL-2.0

//! `lab series-check`: the series as somebody gets it who takes it from a mailing list.
//!
//! Each patch is taken into a pristine tree with `git am`, and what it touches is built, with the C
//! handlers and, as soon as there is a choice, with those in Rust. What is there after each part is
//! built whole, boots, passes the selftests that it has, and is documented: the same as for the tree
//! of `lab tree`, but with nothing of ours except the patches. So does the worked example of a new register on top
//! of it.

mod gates;

use std::path::Path;

use anyhow::{Context, Result};
use fs_err as fs;

use crate::base::disk::ensure_space;
use crate::base::kernel::Handlers;
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::{self, config, make::Kbuild};
use crate::build::tree::{self, git::Repo};
use crate::build::{firmware, selftests};
use crate::get::{self, Toolchain};
use crate::model::hosts;
use crate::model::results::{Case, Groups, Report};
use crate::series::{self, Made, Submitter};
use crate::verify::{boots::Plan, kunit, selftests as our_selftests};

/// Where everything of ours is built. What Rust code needs of `rust/` comes with it.
const TARGETS: [&str; 2] = ["arch/arm64/kvm/", "samples/"];

/// Where no kernel is built.
const NOT_KERNEL: [&str; 3] = ["Documentation/", "MAINTAINERS", "tools/"];

/// What the names of cases about the example have.
const REGISTER: &str = "WORKAROUND_4";

/// A host that offers all levels of it.
const HOST: &str = "a53";

/// Returns whether all is well.
pub fn run(project: &Project) -> Result<bool> {
    let tools = get::ensure(project, &[])?;
    tree::ensure(project)?;
    ensure_space(&project.base(), 4, "a second kernel tree")?;
    let base = project.base().join("series-check");
    let taken = project.clone().with_tree_as_it_is(&base);
    let dir = tempfile::tempdir()?;
    let made = series::make(project, None, &Submitter::default(), dir.path())?;
    // Before somebody else patches the tree anew.
    let applied = made.repo.find("refs/lab/applied^{tree}");

    let mut report = Report::new(anstream::stdout());
    let tree = check_out(&made, &taken.tree())?;
    for part in &made.parts {
        let mut groups = Vec::new();
        for patch in &part.patches {
            let cases = match tree.run(["am", "--quiet", patch]) {
                Ok(_) => builds(&taken, &tools, &tree)?,
                Err(error) => vec![Case::fail("am", format!("{error:#}"))],
            };
            let failed = cases.iter().any(Case::failed);
            groups.push((series::name(patch).to_owned(), cases));
            if failed {
                report.suite(&part.name, groups)?;
                report.finish()?;
                return Ok(false);
            }
        }
        groups.extend(stands(&taken, &tools)?);
        report.suite(&part.name, groups)?;
    }
    let same = tree.find("HEAD^{tree}") == applied;
    let whole = Case::from_result("whole", same.then_some(()).context("not what we have"));
    let gates = ("gates".to_owned(), gates::run(&taken, &tools)?);
    report.suite("series", vec![(String::new(), vec![whole]), gates])?;
    Ok(report.finish()?.good() && example(&taken, &tools, &tree)?)
}

/// Builds what is there after a part, boots it, and runs its tests.
fn stands(taken: &Project, tools: &Toolchain) -> Result<Groups> {
    let kernels = kernels(taken);
    for handlers in &kernels {
        kernel::ensure_one(taken, tools, &taken.tree(), *handlers)?;
    }
    build_selftests(taken, tools)?;
    firmware::ensure(taken, tools)?;
    let mut plan = Plan::default();
    our_selftests::plan(taken, &mut plan, &kernels)?;
    let has_kunit = kernels.contains(&Handlers::Rust);
    if has_kunit {
        kunit::plan(&mut plan)?;
    }
    let boots = plan.boot(taken, &hosts::load(taken)?)?;
    let mut groups = our_selftests::judge(taken, &boots, &kernels)?;
    if has_kunit {
        let cases = kunit::judge(taken, &boots)?.into_iter();
        groups.extend(cases.map(|(_, cases)| ("kunit".to_owned(), cases)));
        let kbuild = kernel::kbuild(taken, &taken.tree(), tools, Handlers::Rust.into())?;
        let rustdoc = Case::from_result("rustdoc", gates::rustdoc(taken, &kbuild));
        groups.push((String::new(), vec![rustdoc]));
    }
    Ok(groups)
}

/// The kernels that can be built of what is there.
fn kernels(taken: &Project) -> Vec<Handlers> {
    let is_choice = taken.tree().join("arch/arm64/kvm/fw_regs/Kconfig").exists();
    let kinds = Handlers::ALL.into_iter();
    kinds
        .filter(|kind| is_choice || *kind == Handlers::C)
        .collect()
}

/// A work tree of its own with the source as it was found.
fn check_out(made: &Made, place: &Path) -> Result<Repo> {
    let _step = Step::spinner("checking out the pristine source");
    let tree = Repo::at(place);
    if place.exists() {
        // What is there may be in the middle of anything.
        let _ = tree.run(["am", "--abort"]);
        tree.run(["checkout", "-q", "-f", "--detach", &made.base])?;
    } else {
        let add = ["worktree", "add", "-q", "-f", "--detach"].into_iter();
        let place = place.to_string_lossy();
        made.repo.run(add.chain([&*place, &*made.base]))?;
    }
    Ok(tree)
}

/// Builds what the last commit touches.
fn builds(taken: &Project, tools: &Toolchain, tree: &Repo) -> Result<Vec<Case>> {
    let touched = tree.run(["diff-tree", "-r", "--no-commit-id", "--name-only", "HEAD"])?;
    let is_kernel = |path: &str| !NOT_KERNEL.iter().any(|place| path.starts_with(place));
    let is_selftest = |path: &str| path.starts_with("tools/testing/selftests/");
    let mut cases = vec![Case::pass("am")];
    if touched.lines().any(is_kernel) {
        for handlers in kernels(taken) {
            let name = format!("kernel-{}", handlers.name());
            let kbuild = kernel::kbuild(taken, &taken.tree(), tools, handlers.into())?;
            let built = configure(taken, &kbuild, handlers)
                .and_then(|()| gates::make(taken, &kbuild, &name, &TARGETS));
            cases.push(Case::from_result(name, built.map(drop)));
        }
    }
    if touched.lines().any(is_selftest) {
        let built = build_selftests(taken, tools);
        cases.push(Case::from_result("selftests", built));
    }
    Ok(cases)
}

fn configure(taken: &Project, kbuild: &Kbuild, handlers: Handlers) -> Result<()> {
    config::make_unchecked(taken, kbuild, handlers.into())?;
    let component = match handlers {
        Handlers::C => "# CONFIG_KVM_ARM_FW_REGS_RUST is not set",
        Handlers::Rust => "CONFIG_KVM_ARM_FW_REGS_RUST=y",
    };
    config::holds(kbuild, &format!("CONFIG_KVM=y\nCONFIG_RUST=y\n{component}"))
}

fn build_selftests(taken: &Project, tools: &Toolchain) -> Result<()> {
    let headers = selftests::export_headers(taken, tools, &taken.tree())?;
    selftests::ensure(taken, &taken.tree(), &headers)
}

/// Makes the example in the tree, and builds, boots and tests it. Returns whether all is well.
fn example(taken: &Project, tools: &Toolchain, tree: &Repo) -> Result<bool> {
    for (path, text) in series::check::example(taken, tree, "HEAD")? {
        fs::write(taken.tree().join(path), text)?;
    }
    kernel::ensure_one(taken, tools, &taken.tree(), Handlers::Rust)?;
    build_selftests(taken, tools)?;

    let mut plan = Plan::default();
    our_selftests::plan_on(taken, &mut plan, HOST, Handlers::Rust)?;
    let boots = plan.boot(taken, &hosts::load(taken)?)?;
    let results = our_selftests::results(taken, &boots, HOST, Handlers::Rust)?;

    let mut cases = results.iter().flat_map(|(_, _, cases)| cases);
    let is_tested = cases.any(|case| case.name.contains(REGISTER));
    let is_tested = is_tested.then_some(()).context("no selftest is about it");
    let tested = (String::new(), vec![Case::from_result(REGISTER, is_tested)]);
    let groups = results.into_iter().map(|(place, _, cases)| (place, cases));
    let mut report = Report::new(anstream::stdout());
    report.suite("example", groups.chain([tested]).collect())?;
    Ok(report.finish()?.good())
}
