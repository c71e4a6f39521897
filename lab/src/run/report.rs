// SPDX-License-Identifier: GPL-2.0

//! What `lab run` prints: what hosts offer, who accepted whose VM, and why not.

mod differences;
mod mistakes;
mod moves;
mod offers;
mod refusals;
mod text;

use std::io::Write;

use anyhow::Result;

use super::matrix::Matrix;
use crate::registers;

/// Prints to standard output; colours only where a terminal reads them.
pub fn print(matrix: &Matrix) -> Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(
        out,
        "What hosts offer a fresh VM\n\n{}\n\n{}\n",
        offers::table(matrix),
        registers::LEGEND
    )?;
    writeln!(
        out,
        "Who accepts whose VM (rows: saved on, columns: restored on, by letter)\n\n{}\n\n{}",
        moves::table(matrix),
        moves::legend(matrix)
    )?;
    writeln!(out, "{}", refusals::told(matrix))?;
    writeln!(out, "{}", differences::told(matrix))?;
    write!(out, "{}", mistakes::told(matrix))?;
    Ok(())
}
