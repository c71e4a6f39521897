// SPDX-License-Identifier: GPL-2.0

//! What is built: the tree, kernels, selftests, the hosts' firmware, the sample VMM.

pub mod firmware;
pub mod kernel;
pub mod selftests;
pub mod tree;
pub mod vmm;

use std::path::PathBuf;

use anyhow::Result;

use crate::base::project::Project;
use crate::get::Toolchain;

/// What hosts boot with, made of the tree and our files as they are now.
pub struct Built {
    pub tools: Toolchain,
    /// The sample VMM.
    pub vmm: PathBuf,
}

impl Built {
    /// Both kernels, the hosts' firmware and the sample VMM.
    pub fn for_run(project: &Project, tools: Toolchain) -> Result<Self> {
        let tree = tree::ensure(project)?;
        kernel::ensure(project, &tools, &tree)?;
        firmware::ensure(project, &tools)?;
        let headers = selftests::export_headers(project, &tools, &tree)?;
        let vmm = vmm::build(project, &headers)?;
        Ok(Self { tools, vmm })
    }

    /// These, and the selftests.
    pub fn for_check(project: &Project, tools: Toolchain) -> Result<Self> {
        let built = Self::for_run(project, tools)?;
        selftests::ensure(project, &built.tools, &project.tree())?;
        Ok(built)
    }
}
