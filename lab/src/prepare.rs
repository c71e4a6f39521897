// SPDX-License-Identifier: GPL-2.0

//! Everything that booting needs: the patched tree, both kernels, the selftests, busybox.

use anyhow::{ensure, Result};

use crate::project::{Handlers, Project};

/// Makes sure that all is there and up to date.
pub fn prepare(project: &Project) -> Result<()> {
    for handlers in Handlers::ALL {
        let image = project.image(handlers);
        ensure!(image.exists(), "{} is missing", image.display());
    }
    Ok(())
}
