// SPDX-License-Identifier: GPL-2.0

//! The documentation: the pages that we write or edit, built by the kernel's own `make htmldocs`.
//!
//! Sphinx goes on after most errors and ends well, so what counts is what it printed, and that it
//! wrote the pages. It says nothing of plain references such as `Documentation/x.rst`; the kernel
//! has a script that does. The tables of the acceptance page are those of `lab/prove/spec.toml`.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Result;
use fs_err as fs;
use regex::Regex;

use crate::base::disk::Lock;
use crate::base::process::{self, command, logged};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::without_foreign;
use crate::build::tree;
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::prove;

/// Where the pages are in a kernel tree.
const PLACE: &str = "Documentation/";

/// Which part of them is built. A page outside of it is one that was not built.
const PART: &str = "virt/kvm";

/// How long one `make` may take; ten seconds are usual.
const LIMIT: Duration = Duration::from_secs(300);

/// The first line of what Sphinx has to say, such as `/k/a.rst:3: WARNING: Title underline too
/// short.`; what it quotes comes in lines of its own.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:.*?: )?(?i:warning|error|severe|critical): ").expect("a valid pattern")
});

pub fn run(project: &Project) -> Result<Groups> {
    let changes = tree::changes(project)?;
    let docs = Docs::new(project)?;

    let step = Step::spinner("building the documentation");
    let output = docs.make("htmldocs")?;
    step.message("looking for dead references");
    let dead = docs.make("refcheckdocs")?;
    drop(step);

    let diagnoses = diagnoses(&docs.without_tree(&output));
    let pages = changes.iter().filter(|path| is_page(path));
    let sphinx = pages.map(|page| judge(page, &diagnoses, docs.html(page).is_file()));
    let references = match dead_references(project, &dead, &changes)? {
        dead if dead.is_empty() => Case::pass("references"),
        dead => Case::fail("references", dead.join("\n")),
    };
    let tables = match process::output(&prove::page(project, "--check")) {
        Ok(_) => Case::pass("tables"),
        Err(error) => Case::fail("tables", format!("{error:#}")),
    };
    Ok(vec![
        ("sphinx".to_owned(), sphinx.collect()),
        (String::new(), vec![references, tables]),
    ])
}

fn is_page(path: &str) -> bool {
    path.starts_with(PLACE) && path.ends_with(".rst")
}

/// The documentation of a tree, and where it is built.
struct Docs<'a> {
    project: &'a Project,
    build_dir: PathBuf,
    _lock: Lock,
}

impl<'a> Docs<'a> {
    /// Begins anew: Sphinx is silent about pages that it has built before.
    fn new(project: &'a Project) -> Result<Self> {
        let lock = Lock::take(&project.base(), "documentation")?;
        let build_dir = project.base().join("docs");
        if build_dir.exists() {
            fs::remove_dir_all(&build_dir)?;
        }
        fs::create_dir_all(&build_dir)?;
        Ok(Self {
            project,
            build_dir,
            _lock: lock,
        })
    }

    /// Runs a `make` in the tree and returns what it printed.
    fn make(&self, target: &str) -> Result<String> {
        // `timeout` ends all that make has started, too.
        let args = [
            "--verbose".into(),
            "--kill-after=10".into(),
            LIMIT.as_secs().to_string(),
            "make".into(),
            "--no-print-directory".into(),
            format!("O={}", self.build_dir.display()),
            format!("SPHINXDIRS={PART}"),
            target.into(),
        ];
        let make = without_foreign(command("timeout", args).dir(self.project.tree()));
        let mut output = String::new();
        logged(
            &format!("make {target}"),
            &make,
            &self.project.log(target),
            |line| output += &format!("{line}\n"),
        )?;
        Ok(output)
    }

    /// The page that Sphinx makes of a source.
    fn html(&self, page: &str) -> PathBuf {
        let page = Path::new(page.strip_prefix(PLACE).unwrap_or(page));
        let output = self.build_dir.join(PLACE).join("output");
        output.join(page.with_extension("html"))
    }

    /// The same text with paths as they are in the tree.
    fn without_tree(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.project.tree().display()), "")
    }
}

/// What Sphinx has to say, one by one, each with the lines that it quotes. It says some of it
/// twice.
fn diagnoses(output: &str) -> Vec<String> {
    let mut diagnoses: Vec<String> = Vec::new();
    for line in output.lines() {
        if HEAD.is_match(line) {
            diagnoses.push(line.to_owned());
        } else if let Some(last) = diagnoses.last_mut() {
            *last += &format!("\n{line}");
        }
    }
    diagnoses.dedup();
    diagnoses
}

/// Whether a page was built and nothing was said of it, neither in its own place nor in another's,
/// such as that of a label which it has, too.
fn judge(page: &str, diagnoses: &[String], built: bool) -> Case {
    let mut causes: Vec<&str> = diagnoses
        .iter()
        .filter(|diagnosis| diagnosis.contains(page))
        .map(|diagnosis| diagnosis.trim_end())
        .collect();
    if !built {
        causes.push("Sphinx did not build this page");
    }
    match causes.as_slice() {
        [] => Case::pass(page),
        causes => Case::fail(page, causes.join("\n")),
    }
}

/// The lines about references that we wrote, among those that the script prints.
fn dead_references<'a>(
    project: &Project,
    output: &'a str,
    changes: &[String],
) -> Result<Vec<&'a str>> {
    let mut dead = Vec::new();
    for (line, file, reference) in references_in(output, changes) {
        // A file that we edit may have some of its own.
        if tree::added(project, file)?.contains(reference) {
            dead.push(line);
        }
    }
    Ok(dead)
}

/// The lines about these files, `file: reference`, and their two parts.
fn references_in<'a>(output: &'a str, files: &[String]) -> Vec<(&'a str, &'a str, &'a str)> {
    let parts = |line: &'a str| {
        let (file, reference) = line.split_once(": ")?;
        let known = files.iter().any(|path| path == file);
        known.then_some((line, file, reference))
    };
    output.lines().filter_map(parts).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::results::Outcome;

    const OUTPUT: &str = "\
Using alabaster theme
WARNING: dot(1) not found, for better output quality install graphviz
Documentation/virt/kvm/a.rst:3: WARNING: Title underline too short.

A page
===== [docutils]
Documentation/virt/kvm/a.rst:3: WARNING: Title underline too short.

A page
===== [docutils]
Documentation/virt/kvm/b.rst: WARNING: document isn't included in any toctree
Documentation/virt/kvm/c.rst:9: ERROR: Unknown target name: \"null\".
Documentation/virt/kvm/c.rst:7: WARNING: duplicate label x, other instance in \
Documentation/virt/kvm/d.rst
";

    #[test]
    fn diagnoses_have_what_they_quote() {
        let diagnoses = diagnoses(OUTPUT);
        assert_eq!(diagnoses.len(), 5);
        assert_eq!(
            diagnoses[1],
            "Documentation/virt/kvm/a.rst:3: WARNING: Title underline too short.\n\
             \nA page\n===== [docutils]"
        );
    }

    #[test]
    fn a_page_is_good_if_it_is_built_and_not_mentioned() {
        let diagnoses = diagnoses(OUTPUT);
        let causes = |page: &str, built| {
            let page = format!("Documentation/virt/kvm/{page}.rst");
            match judge(&page, &diagnoses, built).outcome {
                Outcome::Fail(causes) => causes.matches("Documentation/").count(),
                _ => 0,
            }
        };
        assert_eq!(causes("a", true), 1);
        assert_eq!(causes("b", true), 1);
        assert_eq!(causes("c", true), 3);
        assert_eq!(causes("d", true), 2);
        assert_eq!(causes("e", true), 0);
        let absent = judge("Documentation/virt/kvm/e.rst", &diagnoses, false);
        let expected = Outcome::Fail("Sphinx did not build this page".into());
        assert_eq!(absent.outcome, expected);
    }

    #[test]
    fn references_in_files_of_ours_are_found() {
        let output = "Documentation/a.rst: Documentation/none.rst\n\
                      Documentation/b.rst: Documentation/none.rst\n\
                      arch/arm64/kvm/a.rs: Documentation/none.rst\n";
        let ours = ["Documentation/a.rst", "arch/arm64/kvm/a.rs"].map(String::from);
        let found = references_in(output, &ours);
        assert_eq!(found.len(), 2);
        let line = "Documentation/a.rst: Documentation/none.rst";
        assert_eq!(
            found[0],
            (line, "Documentation/a.rst", "Documentation/none.rst")
        );
    }

    #[test]
    fn pages_are_told_from_other_files() {
        assert!(is_page("Documentation/virt/kvm/arm/index.rst"));
        assert!(!is_page("Documentation/virt/kvm/Makefile"));
        assert!(!is_page("arch/arm64/kvm/readme.rst"));
    }
}
