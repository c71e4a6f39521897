// SPDX-License-Identifier: GPL-2.0

//! The sample VMM, `samples/kvm/fw_regs_vmm.c`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::disk::copy_whole;
use crate::base::process::{command, logged};
use crate::base::project::Project;

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Builds the program against the patched tree's own `headers`.
pub fn build(project: &Project, headers: &Path) -> Result<PathBuf> {
    let source = project.root().join("samples/kvm/fw_regs_vmm.c");
    let program = project.base().join("samples/fw_regs_vmm");
    let built = tempfile::NamedTempFile::new()?;
    let flags = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-isystem"].map(OsString::from);
    let files = [headers, Path::new("-o"), built.path(), &source].map(OsString::from);
    logged(
        "compiling the sample VMM",
        &command(COMPILER, flags.into_iter().chain(files)),
        &project.log("vmm"),
        |_| (),
    )?;
    copy_whole(built.path(), &program)?;
    Ok(program)
}
