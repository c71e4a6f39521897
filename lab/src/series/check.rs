// SPDX-License-Identifier: GPL-2.0

//! The series, as a maintainer would look at it first: it applies, patch by patch, checkpatch has
//! nothing to say, and the right lists are asked.

use std::collections::BTreeMap;

use anyhow::{anyhow, ensure, Result};

use super::commits::Submitter;
use super::{get_maintainer, make, name, Made};
use crate::base::process::{command, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::tree::{edits::Edits, git::Repo, overlay};
use crate::model::results::{Case, Groups, Outcome};
use crate::verify::format;

/// What checkpatch may say of every patch: that nobody has signed it off, which is the submitter's;
/// and that `MAINTAINERS` may need an update for a new file, which is looked at below.
const IGNORE: &str = "MISSING_SIGN_OFF,FILE_PATH_CHANGES";

/// The list that each part is for.
const OURS: &str = "kvmarm@lists.linux.dev";

/// Lists that must be among the recipients of all parts.
const LISTS: [&str; 6] = [
    "kvmarm@lists.linux.dev",
    "linux-arm-kernel@lists.infradead.org",
    "kvm@vger.kernel.org",
    "rust-for-linux@vger.kernel.org",
    "linux-kselftest@vger.kernel.org",
    "linux-doc@vger.kernel.org",
];

/// The worked example of a new register.
const EXAMPLE: &str = "lab/example/workaround-4.toml";

pub fn run(project: &Project) -> Result<Groups> {
    let dir = tempfile::tempdir()?;
    let made = make(project, None, &Submitter::default(), dir.path())?;
    let example = example(project, &made.repo, "refs/lab/applied");
    let whole = vec![
        Case::from_result("applies", applies(&made)),
        Case::from_result("recipients", asked(&made)),
        Case::from_result("maintained", maintained(project)),
        Case::from_result("example", example.map(drop)),
    ];

    let step = Step::counter("looking at the series", made.patches().count() as u64);
    let mut groups = vec![(String::new(), whole)];
    for part in &made.parts {
        let checkpatch = part.patches.iter().map(|patch| {
            step.inc(1);
            Ok(Case::new(name(patch), checkpatch(project, patch)?))
        });
        let cases = checkpatch.collect::<Result<_>>()?;
        groups.push((format!("checkpatch/{}", part.name), cases));
    }
    Ok(groups)
}

/// The patches make of the tree that they are for, one after the other, what `lab tree` makes.
fn applies(made: &Made) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let index = scratch.path().join("index");
    let git = |args: &[&str]| output(&made.repo.git_with(&[("GIT_INDEX_FILE", &index)], args));
    git(&["read-tree", &made.base])?;
    for patch in made.patches() {
        git(&["apply", "--cached", "--whitespace=error", patch])?;
    }
    let tree = git(&["write-tree"])?;
    let same = tree == git(&["rev-parse", "refs/lab/applied^{tree}"])?;
    ensure!(same, "all patches together are not what `lab tree` makes");
    Ok(())
}

/// What it misjudges is ignored in a patch that adds such a file; the other files in it are looked
/// at alone in another step.
fn checkpatch(project: &Project, patch: &str) -> Result<Outcome> {
    let text = fs_err::read_to_string(patch)?;
    let added = text.lines().filter_map(|line| line.strip_prefix("+++ b/"));
    let ignored: Vec<&str> = added.flat_map(format::misjudged).chain([IGNORE]).collect();
    let ignored = ignored.join(",");

    let script = "scripts/checkpatch.pl --strict --terse --no-summary --color=never --ignore";
    let args = script.split(' ').chain([&*ignored, patch]);
    let perl = command("perl", args).dir(project.tree());
    // Its scripts in Python need Debian's modules.
    format::judge("checkpatch.pl", &perl.env("PATH", "/usr/bin:/bin"))
}

fn asked(made: &Made) -> Result<()> {
    let of_parts = made.parts.iter().map(|part| &*part.recipients);
    let all = of_parts.collect::<String>();
    for list in LISTS {
        ensure!(all.contains(list), "{list} is not asked:\n{all}");
    }
    for part in &made.parts {
        let is_asked = part.recipients.contains(OURS);
        ensure!(is_asked, "{OURS} is not asked for `{}`", part.name);
    }
    Ok(())
}

/// `MAINTAINERS` has each of our files.
fn maintained(project: &Project) -> Result<()> {
    for path in overlay::files(project)?.keys() {
        let sections = get_maintainer(project, &["--sections", "-f", path].map(String::from))?;
        let section = match path.starts_with("rust/macros/") {
            true => "RUST",
            false => "KERNEL VIRTUAL MACHINE FOR ARM64 (KVM/arm64)",
        };
        let is_there = sections.lines().any(|line| line.trim() == section);
        ensure!(is_there, "{path} is not in \"{section}\"");
    }
    Ok(())
}

/// The files of a tree with the example in them.
pub fn example(project: &Project, repo: &Repo, revision: &str) -> Result<BTreeMap<String, String>> {
    let edits = Edits::load(&project.root().join(EXAMPLE))?;
    let made = edits.apply(|path| repo.show(revision, path))?;
    made.map_err(|failures| {
        let failures: Vec<String> = failures.iter().map(ToString::to_string).collect();
        anyhow!("{EXAMPLE} does not fit:\n{}", failures.join("\n"))
    })
}
