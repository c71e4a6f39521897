// SPDX-License-Identifier: GPL-2.0

//! The sample VMM, `samples/kvm/fw_regs_vmm.c`.

use std::path::PathBuf;

use anyhow::{ensure, Context, Result};

use crate::base::project::Project;

const COMPILER: &str = "aarch64-linux-gnu-gcc";

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
