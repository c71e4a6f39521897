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

use crate::model::moves::Matrix;
use crate::model::registers;

/// Prints to standard output; colours only where a terminal reads them.
pub fn print(matrix: &Matrix) -> Result<()> {
    anstream::stdout()
        .lock()
        .write_all(text(matrix).as_bytes())?;
    Ok(())
}

/// Prints the moves alone.
pub fn print_moves(matrix: &Matrix) -> Result<()> {
    anstream::stdout()
        .lock()
        .write_all(moves(matrix).as_bytes())?;
    Ok(())
}

fn moves(matrix: &Matrix) -> String {
    format!(
        "Who accepts whose strict VM (rows: saved on, columns: restored on, by letter)\n\n{}\n\n{}",
        moves::table(matrix),
        moves::legend(matrix)
    )
}

fn text(matrix: &Matrix) -> String {
    format!(
        "What hosts offer a fresh VM\n\n{}\n\n{}\n\n{}\n{}\n{}\n{}",
        offers::table(matrix),
        registers::LEGEND,
        moves(matrix),
        refusals::told(matrix),
        differences::told(matrix),
        mistakes::told(matrix)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn the_report_fits_a_terminal() {
        let text = anstream::adapter::strip_str(&text(&example())).to_string();
        for line in text.lines() {
            assert!(line.len() <= 100 && line == line.trim_end(), "`{line}`");
        }
    }
}
