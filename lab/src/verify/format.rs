// SPDX-License-Identifier: GPL-2.0

//! The sources' form: rustfmt with the kernel's configuration, and the kernel's checkpatch.

use std::io::ErrorKind;

use anyhow::{ensure, Context, Result};
use duct::Expression;

use crate::base::process::{command, output};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::model::results::{Case, Groups, Outcome};

/// What checkpatch misjudges, by where it does.
pub const MISJUDGED: [(&str, &str); 2] = [
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
    let list = output(&command("git", ["ls-files", "-z"]).dir(project.root()))?;
    let files = list.split('\0');
    let files: Vec<&str> = files
        .filter(|file| project.root().join(file).is_file())
        .collect();
    ensure!(!files.is_empty(), "no files under version control");
    let step = Step::counter("formatting", files.len() as u64);

    let config = project.tree().join(".rustfmt.toml");
    let config = format!("--config-path={}", config.display());
    let mut arguments = vec!["--check", "--edition=2021", "--color=never", &config];
    arguments.extend(files.iter().filter(|file| file.ends_with(".rs")));
    let rustfmt = Case::new(
        "rustfmt",
        judge(
            "rustfmt",
            &command("rustfmt", arguments).dir(project.root()),
        )?,
    );

    let mut checkpatches = Vec::new();
    for file in files {
        if is_kernel(file) {
            checkpatches.push(Case::new(file, checkpatch(project, file)?));
        }
        step.inc(1);
    }
    Ok(vec![
        (String::new(), vec![rustfmt]),
        ("checkpatch".to_owned(), checkpatches),
    ])
}

/// What goes into a kernel tree: the lab's need not look like it.
fn is_kernel(file: &str) -> bool {
    let kinds = [".c", ".h", ".rs", "Kconfig"];
    kinds.iter().any(|end| file.ends_with(end)) && !file.starts_with("lab/")
}

/// Types of checkpatch's messages that are wrong of a file.
pub fn misjudged(path: &str) -> impl Iterator<Item = &'static str> + '_ {
    let known = MISJUDGED.into_iter();
    let known = known.filter(|(place, _)| path.contains(place));
    known.map(|(_, types)| types)
}

fn checkpatch(project: &Project, file: &str) -> Result<Outcome> {
    let script = project.tree().join("scripts/checkpatch.pl");
    let script = script.to_string_lossy();
    let options = "--no-tree --strict --terse --no-summary --color=never";
    let mut arguments = vec![&*script];
    arguments.extend(options.split(' '));
    arguments.extend(misjudged(file).flat_map(|types| ["--ignore", types]));
    arguments.extend(["-f", file]);
    judge(
        "checkpatch.pl",
        &command("perl", arguments).dir(project.root()),
    )
}

/// A pass if the tool is content; a skip where it is not installed.
pub fn judge(name: &str, tool: &Expression) -> Result<Outcome> {
    let ran = tool
        .stdin_null()
        .stderr_to_stdout()
        .stdout_capture()
        .unchecked()
        .run();
    match ran {
        Ok(output) if output.status.success() => Ok(Outcome::Pass),
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
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
            assert_eq!(is_kernel(file), expected, "{file}");
        }
    }
}
