// SPDX-License-Identifier: GPL-2.0

//! What is built: the tree, kernels, selftests, the hosts' firmware, the sample VMM.

pub mod firmware;
pub mod kernel;
pub mod rust_vmm;
pub mod selftests;
pub mod tree;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::base::disk::copy_whole;
use crate::base::process::{command, logged};
use crate::base::project::Project;
use crate::get::Toolchain;

/// What hosts boot with, made of the tree and our files as they are now.
pub struct Built {
    pub tools: Toolchain,
    /// The sample VMM.
    pub vmm: PathBuf,
    /// The tree's UAPI headers.
    headers: PathBuf,
}

impl Built {
    /// Both kernels, the hosts' firmware and the sample VMM.
    pub fn for_run(project: &Project, tools: Toolchain) -> Result<Self> {
        let tree = tree::ensure(project)?;
        kernel::ensure(project, &tools, &tree)?;
        firmware::ensure(project, &tools)?;
        let headers = selftests::export_headers(project, &tools, &tree)?;
        let vmm = sample_vmm(project, &headers)?;
        Ok(Self {
            tools,
            vmm,
            headers,
        })
    }

    /// These, and the selftests.
    pub fn for_check(project: &Project, tools: Toolchain) -> Result<Self> {
        let built = Self::for_run(project, tools)?;
        selftests::ensure(project, &project.tree(), &built.headers)?;
        Ok(built)
    }
}

/// Where the sample VMM is once it is built.
pub fn vmm(project: &Project) -> PathBuf {
    project.base().join("samples/fw_regs_vmm")
}

/// Builds the sample VMM against the patched tree's own `headers`.
fn sample_vmm(project: &Project, headers: &Path) -> Result<PathBuf> {
    let program = vmm(project);
    let flags = ["-static", "-O2", "-Wall", "-Wextra", "-Werror", "-isystem"].map(OsString::from);
    let files = [headers.into(), "fw_regs_vmm.c".into()];
    let (args, sources) = (
        [&flags[..], &files].concat(),
        project.root().join("samples/kvm"),
    );
    let log = project.log("vmm");
    compile("aarch64-linux-gnu-gcc", args, &sources, &program, &log)?;
    Ok(program)
}

/// Compiles a program in the directory of its sources.
fn compile(
    compiler: &str,
    mut args: Vec<OsString>,
    sources: &Path,
    program: &Path,
    log: &Path,
) -> Result<()> {
    let built = tempfile::NamedTempFile::new()?;
    args.extend(["-o".into(), built.path().into()]);
    let what = format!("compiling {}", program.display());
    logged(&what, &command(compiler, args).dir(sources), log, |_| ())?;
    copy_whole(built.path(), program)
}
