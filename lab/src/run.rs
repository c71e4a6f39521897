// SPDX-License-Identifier: GPL-2.0

//! `lab run`: saves a VM on every host, restores it on every host, brings it back, and tells who
//! accepted what.

#[cfg(test)]
mod example;
mod journey;
mod laws;
mod matrix;
mod report;

use anyhow::Result;

use crate::prepare;
use crate::project::Project;

pub fn run(project: &Project) -> Result<()> {
    prepare::for_run(project)?;
    let matrix = journey::measure(project)?;
    report::print(&matrix)?;
    laws::check(&matrix)
}
