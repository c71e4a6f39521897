// SPDX-License-Identifier: GPL-2.0

//! The series, as a maintainer would look at it first: it applies, patch by patch, checkpatch has
//! nothing to say, and the right lists are asked.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

use super::{commits, example, files, write, Commits, RECIPIENTS};
use crate::base::process::{command, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::tree::overlay;
use crate::model::results::{Case, Outcome};
use crate::verify::format;

/// What checkpatch may say of every patch: that nobody has signed it off, which is the submitter's;
/// and that `MAINTAINERS` may need an update for a new file, which is looked at below.
const IGNORE: &str = "MISSING_SIGN_OFF,FILE_PATH_CHANGES";

/// Lists that must be among the recipients.
const LISTS: [&str; 6] = [
    "kvmarm@lists.linux.dev",
    "linux-arm-kernel@lists.infradead.org",
    "kvm@vger.kernel.org",
    "rust-for-linux@vger.kernel.org",
    "linux-kselftest@vger.kernel.org",
    "linux-doc@vger.kernel.org",
];

/// Who maintains our files, by the part of `MAINTAINERS`.
const KVM: &str = "KERNEL VIRTUAL MACHINE FOR ARM64 (KVM/arm64)";
const RUST: &str = "RUST";

/// What knows nothing of KVM.
const NOT_KVM: &str = "rust/macros/";

pub fn run(project: &Project) -> Result<Vec<(String, Vec<Case>)>> {
    let commits = commits(project, None, None)?;
    let dir = tempfile::tempdir()?;
    write(project, &commits, None, dir.path())?;
    let patches = files(dir.path())?;

    let step = Step::counter("looking at the series", patches.len() as u64);
    let checkpatch = patches.iter().map(|patch| {
        step.inc(1);
        Ok(Case::new(name(patch), checkpatch(project, patch)?))
    });
    let checkpatch = checkpatch.collect::<Result<_>>()?;
    let whole = vec![
        Case::from_result("applies", applies(&commits, &patches)),
        Case::from_result("recipients", asked(dir.path())),
        Case::from_result("maintained", maintained(project)),
        Case::from_result(
            "example",
            example::files(project, &commits.repo, "refs/lab/applied").map(drop),
        ),
    ];
    Ok(vec![
        (String::new(), whole),
        ("checkpatch".to_owned(), checkpatch),
    ])
}

fn name(patch: &Path) -> String {
    let name = patch.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Each patch makes of the tree before it what its commit has.
fn applies(commits: &Commits, patches: &[PathBuf]) -> Result<()> {
    ensure!(
        patches.len() == commits.patches.len(),
        "{} files for {} patches",
        patches.len(),
        commits.patches.len()
    );
    let repo = &commits.repo;
    let scratch = tempfile::tempdir()?;
    let index = scratch.path().join("index");
    let git = |args: &[&str]| output(&repo.git_with(&[("GIT_INDEX_FILE", &index)], args));
    git(&["read-tree", &commits.base.commit])?;
    for (patch, commit) in patches.iter().zip(&commits.patches) {
        git(&[
            "apply",
            "--cached",
            "--whitespace=error",
            &patch.to_string_lossy(),
        ])?;
        let (tree, meant) = (
            git(&["write-tree"])?,
            repo.find(&format!("{commit}^{{tree}}")),
        );
        ensure!(
            Some(tree.trim()) == meant.as_deref(),
            "{} does not make the tree that it should",
            name(patch)
        );
    }
    let (last, whole) = (commits.patches.last(), repo.find("refs/lab/applied^{tree}"));
    let last = last.and_then(|last| repo.find(&format!("{last}^{{tree}}")));
    ensure!(
        last == whole,
        "all patches together are not what `lab tree` makes"
    );
    Ok(())
}

/// What it misjudges is ignored in a patch that adds such a file; the other files in it are looked
/// at alone in another step.
fn checkpatch(project: &Project, patch: &Path) -> Result<Outcome> {
    let text = fs_err::read_to_string(patch)?;
    let added = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    let ignored: BTreeSet<&str> = added.flat_map(format::misjudged).chain([IGNORE]).collect();
    let ignored = Vec::from_iter(ignored).join(",");

    let script = "scripts/checkpatch.pl --strict --terse --no-summary --color=never --ignore";
    let args = script.split(' ').map(Into::into);
    let args = args.chain([ignored.into(), patch.as_os_str().to_owned()]);
    let ran = command("perl", args)
        .dir(project.tree())
        // Its scripts in Python need Debian's modules.
        .env("PATH", "/usr/bin:/bin")
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run()
        .context("perl")?;
    let text = String::from_utf8_lossy(&ran.stdout);
    Ok(match ran.status.success() && text.trim().is_empty() {
        true => Outcome::Pass,
        false => Outcome::Fail(format!("{text}checkpatch.pl: {}", ran.status)),
    })
}

fn asked(dir: &Path) -> Result<()> {
    let recipients = fs_err::read_to_string(dir.join(RECIPIENTS))?;
    for list in LISTS {
        ensure!(
            recipients.contains(list),
            "{list} is not asked:\n{recipients}"
        );
    }
    Ok(())
}

/// `MAINTAINERS` has each of our files.
fn maintained(project: &Project) -> Result<()> {
    for path in overlay::files(project)?.keys() {
        let args = [
            "scripts/get_maintainer.pl",
            "--no-git",
            "--sections",
            "-f",
            path,
        ];
        let sections = output(&command("perl", args).dir(project.tree()))?;
        let section = match path.starts_with(NOT_KVM) {
            true => RUST,
            false => KVM,
        };
        ensure!(
            sections.lines().any(|line| line.trim() == section),
            "{path} is not in \"{section}\""
        );
    }
    Ok(())
}
