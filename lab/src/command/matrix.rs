// SPDX-License-Identifier: GPL-2.0

//! `lab matrix`: the fleet report. What `lab run` measures, as a page for people and as a file for
//! programs.

use std::time::Instant;

use anyhow::Result;

use crate::ask::journey;
use crate::base::disk::write_whole;
use crate::base::error::Broken;
use crate::base::progress::say;
use crate::base::project::Project;
use crate::build::Built;
use crate::get::{self, kernels};
use crate::judge::laws;
use crate::model::moves::Moves;
use crate::model::{deviations, hosts};
use crate::report::{page, terminal};

/// The report's files, below the tree's folder.
const JSON: &str = "matrix.json";
const PAGE: &str = "matrix.html";

/// # Errors
///
/// What is broken is an error after it has been reported.
pub fn run(project: &Project) -> Result<()> {
    let start = Instant::now();
    let tools = get::ensure(project, &[])?;
    kernels::ensure(project, &hosts::chosen(project)?)?;
    // Before anything is built for them.
    let hosts = hosts::fleet(project)?;
    let built = Built::for_run(project, tools)?;
    let heard = journey::measure(project, &built, hosts)?;
    let matrix = heard.matrix()?;
    let moves = Moves::new(&matrix)?;

    let page = page::render(&matrix, &deviations::load(project)?)?;
    write_whole(&project.base().join(JSON), matrix.to_text()?.as_bytes())?;
    write_whole(&project.base().join(PAGE), page.as_bytes())?;
    terminal::print_moves(&moves)?;
    for file in [PAGE, JSON] {
        say(project.base().join(file).display().to_string());
    }
    say(format!("took {} s", start.elapsed().as_secs()));

    laws::check(&heard, &moves)?;
    let differences = planner::check::differences(&matrix).map_err(anyhow::Error::msg)?;
    if !differences.is_empty() {
        let differences = differences.join("\n  ");
        let text = format!("`fw-regs-plan` would have said something else:\n  {differences}");
        return Err(Broken(text).into());
    }
    Ok(())
}
