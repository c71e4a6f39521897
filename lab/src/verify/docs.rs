// SPDX-License-Identifier: GPL-2.0

//! The documentation: the pages that we write or edit, built by the kernel's own `make htmldocs`.
//!
//! Sphinx goes on after most errors and ends well, so what counts is what it printed, and that it
//! wrote the pages. It says nothing of plain references such as `Documentation/x.rst`; the kernel
//! has a script that does. The tables of the acceptance page are those of `lab/prove/spec.toml`,
//! and its code is the sample VMM's.

mod quotes;

use anyhow::Result;
use fs_err as fs;
use regex::Regex;

use crate::base::disk::Lock;
use crate::base::process::{command, logged, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::build::kernel::make::without_foreign;
use crate::build::tree;
use crate::model::results::{Case, Groups};
use crate::verify::prove;

/// Where the pages are in a kernel tree.
const PLACE: &str = "Documentation/";

/// Which part of them is built. A page outside of it is one that was not built.
const PART: &str = "virt/kvm";

/// How many seconds one `make` may take; ten are usual.
const LIMIT: &str = "300";

pub fn run(project: &Project) -> Result<Groups> {
    let changes = tree::changes(project)?;
    let _lock = Lock::take(&project.base(), "documentation")?;
    // Sphinx is silent about pages that it has built before.
    let build_dir = project.base().join("docs");
    if build_dir.exists() {
        fs::remove_dir_all(&build_dir)?;
    }
    fs::create_dir_all(&build_dir)?;

    let make = |target: &str| {
        // `timeout` ends all that make has started, too.
        let args = [
            "--verbose",
            "--kill-after=10",
            LIMIT,
            "make",
            "--no-print-directory",
            &format!("O={}", build_dir.display()),
            &format!("SPHINXDIRS={PART}"),
            target,
        ];
        let make = without_foreign(command("timeout", args).dir(project.tree()));
        let mut said = String::new();
        let (what, log) = (format!("make {target}"), project.log(target));
        logged(&what, &make, &log, |line| said += &format!("{line}\n"))?;
        anyhow::Ok(said)
    };
    let step = Step::spinner("building the documentation");
    let said = make("htmldocs")?;
    step.message("looking for dead references");
    let references = make("refcheckdocs")?;
    drop(step);

    // With paths as they are in the tree.
    let said = said.replace(&format!("{}/", project.tree().display()), "");
    let diagnoses = diagnoses(&said);
    let html = build_dir.join(PLACE).join("output");
    let pages = changes.iter().filter_map(|path| Some((path, page(path)?)));
    let sphinx = pages.map(|(path, page)| {
        let built = html.join(format!("{page}.html")).is_file();
        judge(path, &diagnoses, built)
    });

    let mut dead = Vec::new();
    for (line, file, reference) in references_in(&references, &changes) {
        // A file that we edit may have some of its own.
        if tree::added(project, file)?.contains(reference) {
            dead.push(line);
        }
    }
    let references = Case::good_or(dead.is_empty(), "references", dead.join("\n"));
    let tables = output(&prove::page(project, "--check")).map(drop);
    let tables = Case::from_result("tables", tables);
    let quotes = Case::from_result("quotes", quotes::check(project.root()));
    Ok(vec![
        ("sphinx".to_owned(), sphinx.collect()),
        (String::new(), vec![references, tables, quotes]),
    ])
}

/// The name of a page.
fn page(path: &str) -> Option<&str> {
    path.strip_prefix(PLACE)?.strip_suffix(".rst")
}

/// What Sphinx has to say, one by one, each with the lines that it quotes. It says some of it
/// twice.
fn diagnoses(output: &str) -> Vec<String> {
    // Such as `/k/a.rst:3: WARNING: Title underline too short.`
    let head = Regex::new(r"^(?:.*?: )?(?i:warning|error|severe|critical): ");
    let head = head.expect("a valid pattern");
    let mut diagnoses: Vec<String> = Vec::new();
    for line in output.lines() {
        if head.is_match(line) {
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
    let about = diagnoses
        .iter()
        .filter(|diagnosis| diagnosis.contains(page));
    let mut causes: Vec<&str> = about.map(|diagnosis| diagnosis.trim_end()).collect();
    if !built {
        causes.push("Sphinx did not build this page");
    }
    Case::good_or(causes.is_empty(), page, causes.join("\n"))
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
        let index = page("Documentation/virt/kvm/arm/index.rst");
        assert_eq!(index, Some("virt/kvm/arm/index"));
        assert_eq!(page("Documentation/virt/kvm/Makefile"), None);
        assert_eq!(page("arch/arm64/kvm/readme.rst"), None);
    }
}
