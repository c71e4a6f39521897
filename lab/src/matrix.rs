// SPDX-License-Identifier: GPL-2.0

//! `lab matrix`: the fleet report. What `lab run` measures, as a page for people and as a file for
//! programs.

pub mod page;

use std::time::Instant;

use anyhow::{bail, Result};

use crate::deviations;
use crate::disk::write_whole;
use crate::hosts;
use crate::plan;
use crate::project::Project;
use crate::run as moves;
use crate::ui::say;

/// The report's files below `out/`.
const JSON: &str = "matrix.json";
const PAGE: &str = "matrix.html";

/// # Errors
///
/// What is broken is an error after it has been reported.
pub fn run(project: &Project) -> Result<()> {
    let start = Instant::now();
    let measured = moves::measure(project, hosts::load(project)?)?;
    let record = moves::record(&measured)?;

    let page = page::render(&record, &deviations::load(project)?)?;
    write_whole(&project.out(JSON), record.to_text()?.as_bytes())?;
    write_whole(&project.out(PAGE), page.as_bytes())?;
    moves::print_moves(&measured)?;
    for file in [PAGE, JSON] {
        say(project.out(file).display().to_string());
    }
    say(format!("took {} s", start.elapsed().as_secs()));

    moves::check(&measured)?;
    let differences = plan::differences(&record).map_err(anyhow::Error::msg)?;
    if !differences.is_empty() {
        bail!(
            "`lab plan` would have said something else:\n  {}",
            differences.join("\n  ")
        );
    }
    Ok(())
}
