// SPDX-License-Identifier: GPL-2.0

//! What is built before hosts boot.

use anyhow::Result;

use crate::base::project::Project;
use crate::build::firmware;
use crate::build::kernel;
use crate::build::selftests;
use crate::build::tree;
use crate::get;

/// What the main job needs: both kernels, the hosts' firmware, and headers for the sample VMM.
pub fn for_run(project: &Project) -> Result<()> {
    kernel::ensure(project)?;
    firmware::ensure(project)?;
    selftests::ensure_headers(project)?;
    Ok(())
}

/// What the tests need: both kernels, the hosts' firmware and the selftests.
pub fn for_check(project: &Project) -> Result<()> {
    kernel::ensure(project)?;
    firmware::ensure(project)?;
    selftests::ensure(project)?;
    Ok(())
}

/// What the tree's own tools need, for documentation and for patches: them, and programs of Debian.
pub fn for_tools_of_tree(project: &Project) -> Result<()> {
    get::ensure(project)?;
    for_sources(project)
}

/// What looking at the sources needs: the kernel's own scripts and configuration.
pub fn for_sources(project: &Project) -> Result<()> {
    tree::ensure(project).map(drop)
}

/// What looking at the fleet report needs: a browser.
pub fn for_report(project: &Project) -> Result<()> {
    get::ensure(project).map(drop)
}
