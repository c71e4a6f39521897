// SPDX-License-Identifier: GPL-2.0

//! The sources' form: rustfmt with the kernel's configuration, and the kernel's checkpatch.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

use crate::base::progress::Step;
use crate::base::project::Project;
use crate::model::results::Groups;
use crate::model::results::{Case, Outcome};

/// What goes into a kernel tree: the rest need not look like it.
const NOT_KERNEL: &str = "lab/";

/// What checkpatch misjudges, by where it does.
const MISJUDGED: [(&str, &str); 2] = [
    // Macros that declare test cases, not code, and the harness's `FIXTURE_DATA(name) *self`, which
    // it takes for a product.
    (
        "selftests/",
        "COMPLEX_MACRO,MACRO_ARG_REUSE,MULTISTATEMENT_MACRO_USE_DO_WHILE,SPACING",
    ),
    // The lists of fields of trace events, and a path that it takes for a division.
    ("/trace.h", "OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,SPACING"),
];

pub fn run(project: &Project) -> Result<Groups> {
    let files = files(project)?;
    let step = Step::counter("formatting", files.len() as u64);

    let rust: Vec<&PathBuf> = files.iter().filter(|file| has(file, "rs")).collect();
    let rustfmt = Case::new("rustfmt", rustfmt(project, &rust)?);
    step.inc(rust.len() as u64);

    let mut checkpatches = Vec::new();
    for file in files.iter().filter(|file| is_kernel(file)) {
        checkpatches.push(Case::new(
            file.to_string_lossy(),
            checkpatch(project, file)?,
        ));
        step.inc(1);
    }
    Ok(vec![
        (String::new(), vec![rustfmt]),
        ("checkpatch".to_owned(), checkpatches),
    ])
}

/// All files under version control.
fn files(project: &Project) -> Result<Vec<PathBuf>> {
    let list = duct::cmd!("git", "ls-files", "-z")
        .dir(project.root())
        .stdin_null()
        .read()
        .context("git ls-files")?;
    let files: Vec<PathBuf> = list
        .split('\0')
        .filter(|name| !name.is_empty())
        .map(PathBuf::from)
        .filter(|file| project.root().join(file).is_file())
        .collect();
    ensure!(!files.is_empty(), "no files under version control");
    Ok(files)
}

fn has(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn is_kernel(file: &Path) -> bool {
    let is_kind = ["c", "h", "rs"]
        .iter()
        .any(|extension| has(file, extension))
        || file.file_name().is_some_and(|name| name == "Kconfig");
    is_kind && !file.starts_with(NOT_KERNEL)
}

fn rustfmt(project: &Project, files: &[&PathBuf]) -> Result<Outcome> {
    let mut arguments = vec![
        "--check".into(),
        "--edition=2021".into(),
        "--color=never".into(),
        "--config-path".into(),
        project.tree().join(".rustfmt.toml").into_os_string(),
    ];
    arguments.extend(files.iter().map(|file| file.as_os_str().to_owned()));
    tool(project, "rustfmt", arguments)
}

/// Types of checkpatch's messages that are wrong of a file.
pub fn misjudged(path: &str) -> impl Iterator<Item = &'static str> + '_ {
    let known = MISJUDGED.into_iter();
    let known = known.filter(|(place, _)| path.contains(place));
    known.map(|(_, types)| types)
}

fn checkpatch(project: &Project, file: &Path) -> Result<Outcome> {
    let script = project.tree().join("scripts/checkpatch.pl");
    let mut arguments = vec![
        script.into_os_string(),
        "--no-tree".into(),
        "--strict".into(),
        "--terse".into(),
        "--no-summary".into(),
        "--color=never".into(),
    ];
    for types in misjudged(&file.to_string_lossy()) {
        arguments.push(format!("--ignore={types}").into());
    }
    arguments.extend(["-f".into(), file.into()]);
    tool(project, "perl", arguments)
}

/// A pass if the tool says nothing; a skip where it is not installed.
fn tool(project: &Project, name: &str, arguments: Vec<std::ffi::OsString>) -> Result<Outcome> {
    let ran = duct::cmd(name, arguments)
        .dir(project.root())
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run();
    match ran {
        Ok(output) if output.status.success() => Ok(Outcome::Pass),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(Outcome::Fail(format!("{text}{name}: {}", output.status)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Ok(Outcome::Skip(format!("{name} is not installed")))
        }
        Err(error) => Err(error).context(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_files_are_told_from_the_labs() {
        let cases = [
            ("rust/fw_regs/fw_regs.rs", true),
            ("samples/kvm/fw_regs_vmm.c", true),
            ("selftests/kvm/include/arm64/fw_regs.h", true),
            ("Kconfig", true),
            ("Kbuild", false),
            ("README.md", false),
            ("lab/src/main.rs", false),
        ];
        for (file, expected) in cases {
            assert_eq!(is_kernel(Path::new(file)), expected, "{file}");
        }
    }
}
