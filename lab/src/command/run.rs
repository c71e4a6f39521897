// SPDX-License-Identifier: GPL-2.0

//! `lab run`: saves a VM on every host, restores it on every host, brings it back, and tells who
//! accepted what.

use anyhow::Result;

use crate::ask::journey;
use crate::base::project::Project;
use crate::build::Built;
use crate::get::{self, kernels};
use crate::judge::laws;
use crate::model::hosts;
use crate::model::moves::Moves;
use crate::report::terminal;

pub fn run(project: &Project) -> Result<()> {
    let tools = get::ensure(project, &[])?;
    kernels::ensure(project, &hosts::chosen(project)?)?;
    // Before anything is built for them.
    let hosts = hosts::of_run(project)?;
    let built = Built::for_run(project, tools)?;
    let heard = journey::measure(project, &built, hosts)?;
    let matrix = heard.matrix()?;
    let moves = Moves::new(&matrix)?;
    terminal::print(&heard, &moves)?;
    laws::check(&heard, &moves)
}
