// SPDX-License-Identifier: GPL-2.0

//! The sample VMM, `samples/kvm/fw_regs_vmm.c`: building it and reading what it says.

use std::path::PathBuf;

use anyhow::{bail, ensure, Context, Result};

use crate::project::Project;
use crate::registers::{hex, Id};

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Where the program is in a host, relative to the root.
pub const PROGRAM: &str = "bin/fw_regs_vmm";

/// One refused write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub id: Id,
    pub value: u64,
    pub errno: String,
}

/// Builds the program against the patched tree's own headers.
pub fn build(project: &Project) -> Result<PathBuf> {
    let source = project.root().join("samples/kvm/fw_regs_vmm.c");
    let program = project.out("samples/fw_regs_vmm");
    if let Some(directory) = program.parent() {
        fs_err::create_dir_all(directory)?;
    }
    let output = duct::cmd!(
        COMPILER,
        "-static",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-isystem",
        project.headers(),
        "-o",
        &program,
        &source
    )
    .stderr_to_stdout()
    .stdout_capture()
    .unchecked()
    .run()
    .with_context(|| {
        format!("{COMPILER}: install the packages gcc-aarch64-linux-gnu and libc6-dev-arm64-cross")
    })?;
    ensure!(
        output.status.success(),
        "{} does not compile:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(program)
}

/// Reads what `fw_regs_vmm restore FILE` printed and how it ended: the refusals, none if all was
/// accepted.
///
/// # Errors
///
/// Trouble, and everything that is not one whole verdict.
pub fn verdict(file: &str, status: i32, output: &str) -> Result<Vec<Refusal>> {
    let mut lines: Vec<&str> = output.lines().collect();
    let last = lines.pop().unwrap_or_default();

    let refusals = lines
        .iter()
        .map(|line| {
            refusal(file, line).with_context(|| format!("`{line}` is no refusal of {file}"))
        })
        .collect::<Result<Vec<_>>>()?;

    match status {
        0 if refusals.is_empty() && last == format!("accepted {file}") => Ok(refusals),
        1 if !refusals.is_empty() && last == format!("rejected {file} {}", refusals.len()) => {
            Ok(refusals)
        }
        _ => bail!("fw_regs_vmm ended with status {status} and said\n{output}"),
    }
}

fn refusal(file: &str, line: &str) -> Option<Refusal> {
    let rest = line.strip_prefix("refused ")?.strip_prefix(file)?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let [id, value, errno] = words[..] else {
        return None;
    };
    Some(Refusal {
        id: hex(id)?,
        value: hex(value)?,
        errno: errno.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "refused f 0x6030000000140003 0x2 EINVAL\n";

    #[test]
    fn whole_verdicts_are_read() {
        assert_eq!(verdict("f", 0, "accepted f\n").unwrap(), []);
        let refusals = verdict("f", 1, &format!("{REFUSED}rejected f 1\n")).unwrap();
        assert_eq!(
            refusals,
            [Refusal {
                id: 0x6030_0000_0014_0003,
                value: 2,
                errno: "EINVAL".to_owned(),
            }]
        );
    }

    #[test]
    fn anything_else_is_an_error() {
        for (status, output) in [
            (0, ""),
            (1, ""),
            (2, "fw_regs_vmm: /dev/kvm: No such file or directory\n"),
            (1, "accepted f\n"),
            (0, "accepted g\n"),
            (0, &format!("{REFUSED}rejected f 1\n")),
            (1, &format!("{REFUSED}rejected f 2\n")),
            (0, &format!("{REFUSED}accepted f\n")),
            (1, "refused f 0x1 EINVAL\nrejected f 1\n"),
            (1, "rejected f 0\n"),
            (143, "accepted f\n"),
        ] {
            assert!(verdict("f", status, output).is_err(), "{status} {output:?}");
        }
    }
}
