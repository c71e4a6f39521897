// SPDX-License-Identifier: GPL-2.0

//! `lab run`: saves a VM on every host, restores it on every host, brings it back, and tells who
//! accepted what.

mod agreement;
#[cfg(test)]
mod example;
mod journey;
mod laws;
mod matrix;
mod offers;
mod record;
mod report;
mod visit;

use anyhow::Result;

use crate::hosts::{self, Host};
use crate::prepare;
use crate::project::Project;
pub use laws::check;
pub use matrix::Matrix;
pub use record::of as record;

pub fn run(project: &Project) -> Result<()> {
    let matrix = measure(project, hosts::with_both_kernels(project)?)?;
    report::print(&matrix)?;
    check(&matrix)
}

/// Builds what is needed, boots all hosts and lets VMs move between them.
pub fn measure(project: &Project, hosts: Vec<Host>) -> Result<Matrix> {
    prepare::for_run(project)?;
    journey::measure(project, hosts)
}

/// Prints who accepts whose VM.
pub fn print_moves(matrix: &Matrix) -> Result<()> {
    report::print_moves(matrix)
}
