// SPDX-License-Identifier: GPL-2.0

//! `lab series-check`: the series as somebody gets it who takes it from a mailing list.
//!
//! Each patch is taken into a pristine tree with `git am`, and what it touches is built, with the C
//! handlers and, as soon as there is a choice, with those in Rust. What is there in the end is
//! built whole, boots, and passes the selftests: the same as for the tree of `lab tree`, but with
//! nothing of ours except the patches.

mod example;
mod gates;

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

use crate::base::disk::ensure_space;
use crate::base::process::logged;
use crate::base::progress::Step;
use crate::base::project::{Handlers, Project};
use crate::build::kernel::{self, config, make::Warnings, refuse_warnings};
use crate::build::selftests;
use crate::build::tree::{self, git::Repo};
use crate::command::check::{self, Step as Check};
use crate::get::{self, Toolchain};
use crate::model::results::{Case, Format, Report};
use crate::series::{commits, files, write, Commits};

/// What the tree and its builds take on the disk, in GB.
const SPACE: u64 = 4;

/// There as soon as there is a choice.
const CHOICE: &str = "arch/arm64/kvm/fw_regs/Kconfig";

const SELFTESTS: &str = "tools/testing/selftests/";

/// Where no kernel is built.
const NOT_KERNEL: [&str; 3] = ["Documentation/", "MAINTAINERS", "tools/"];

/// Returns whether all is well.
pub fn run(project: &Project) -> Result<bool> {
    let tools = get::ensure(project, &[])?;
    tree::ensure(project)?;
    let base = project.base().join("series-check");
    ensure_space(&project.base(), SPACE, "a second kernel tree")?;
    let taken = project.clone().with_tree_as_it_is(&base);

    let commits = commits(project, None, None)?;
    let dir = tempfile::tempdir()?;
    write(project, &commits, None, dir.path())?;

    let mut report = Report::new(anstream::stdout());
    let tree = check_out(&commits, &taken.tree())?;
    let mut all_well = true;
    for patch in files(dir.path())? {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy();
        let cases = match tree.run(["am", "--quiet", &patch.to_string_lossy()]) {
            Ok(_) => builds(&taken, &tools, &tree)?,
            Err(error) => vec![Case::fail("am", format!("{error:#}"))],
        };
        all_well &= cases.iter().all(|case| !case.failed());
        report.suite("series", vec![(name.into_owned(), cases)])?;
        if !all_well {
            break;
        }
    }
    if all_well {
        let same = tree.find("HEAD^{tree}") == commits.repo.find("refs/lab/applied^{tree}");
        let whole = Case::from_result("whole", same.then_some(()).context("not what we have"));
        let gates = gates::run(&taken, &tools)?;
        let groups = vec![(String::new(), vec![whole]), ("gates".to_owned(), gates)];
        report.suite("series", groups)?;
    }
    let good = report.finish()?.good();
    Ok(good
        && check::check(&taken, &[Check::Kunit, Check::Selftests], Format::Text)?
        && example::run(&taken, &tools)?)
}

/// A work tree of its own with the source as it was found.
fn check_out(commits: &Commits, place: &Path) -> Result<Repo> {
    let step = Step::spinner("checking out the pristine source");
    let tree = Repo::at(place);
    if place.exists() {
        // What is there may be in the middle of anything.
        let _ = tree.run(["am", "--abort"]);
        tree.run([
            "checkout",
            "--quiet",
            "--detach",
            "--force",
            &commits.base.commit,
        ])?;
    } else {
        let place = place.to_string_lossy();
        let add = ["worktree", "add", "--quiet", "--force", "--detach", &place];
        commits
            .repo
            .run(add.into_iter().chain([&*commits.base.commit]))?;
    }
    drop(step);
    Ok(tree)
}

/// Builds what the last commit touches.
fn builds(taken: &Project, tools: &Toolchain, tree: &Repo) -> Result<Vec<Case>> {
    let touched = tree.run(["diff-tree", "-r", "--no-commit-id", "--name-only", "HEAD"])?;
    let touched: Vec<&str> = touched.lines().collect();
    let any = |place: &str| touched.iter().any(|path| path.starts_with(place));
    let mut cases = vec![Case::pass("am")];

    let is_kernel = |path: &&str| !NOT_KERNEL.iter().any(|place| path.starts_with(place));
    if touched.iter().any(is_kernel) {
        let mut targets = vec!["arch/arm64/kvm/"];
        if any("samples/") {
            targets.push("samples/");
        }
        let kinds: &[Handlers] = match taken.tree().join(CHOICE).exists() {
            true => &[Handlers::C, Handlers::Rust],
            false => &[Handlers::C],
        };
        for handlers in kinds {
            let name = format!("kernel-{}", handlers.name());
            let built = build(taken, tools, *handlers, &targets);
            cases.push(Case::from_result(name, built));
        }
    }
    if any(SELFTESTS) {
        let built = selftests::ensure(taken, tools, &taken.tree()).map(drop);
        cases.push(Case::from_result("selftests", built));
    }
    Ok(cases)
}

fn build(taken: &Project, tools: &Toolchain, handlers: Handlers, targets: &[&str]) -> Result<()> {
    let kbuild = kernel::kbuild(taken, &taken.tree(), tools, handlers)?;
    let is_choice = taken.tree().join(CHOICE).exists();
    config::make_unchecked(taken, &kbuild, handlers)?;
    let set = |line: &str| config::has(&kbuild, line);
    ensure!(
        set("CONFIG_KVM=y")? && set("CONFIG_RUST=y")?,
        "KVM or Rust is off"
    );
    let wanted = is_choice && handlers == Handlers::Rust;
    ensure!(
        set("CONFIG_KVM_ARM_FW_REGS_RUST=y")? == wanted,
        "the component is not as it was chosen"
    );

    let what = format!("building with handlers in {}", handlers.label());
    let step = Step::spinner(what.clone());
    let mut warnings = Warnings::new(taken)?;
    let log: PathBuf = taken.log(&format!("series-{}", handlers.name()));
    logged(&what, &kbuild.make(targets), &log, |line| {
        warnings.read(line)
    })?;
    drop(step);
    refuse_warnings(&taken.tree(), warnings)
}
