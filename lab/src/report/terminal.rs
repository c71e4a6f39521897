// SPDX-License-Identifier: GPL-2.0

//! What `lab run` prints: what hosts offer, who accepted whose VM, and why not; and `lab migrate`.

mod differences;
mod mistakes;
mod moves;
mod refusals;
pub(super) mod text;
pub(super) mod travels;

use std::io::Write;

use anyhow::Result;

use crate::model::heard::Heard;
use crate::model::moves::Moves;
use crate::model::registers::{self, COLUMNS, LEGEND};
use crate::model::travels::Travel;

/// Prints to standard output; colours only where a terminal reads them.
pub fn print(heard: &Heard, moves: &Moves) -> Result<()> {
    Ok(anstream::stdout().write_all(all(heard, moves).as_bytes())?)
}

/// Prints the moves alone.
pub fn print_moves(moves: &Moves) -> Result<()> {
    Ok(anstream::stdout().write_all(moved(moves).as_bytes())?)
}

/// Prints how the journeys of a running VM went.
pub fn print_travels(travels: &[Travel]) -> Result<()> {
    Ok(anstream::stdout().write_all(travels::all(travels).as_bytes())?)
}

fn moved(moves: &Moves) -> String {
    format!(
        "Who accepts whose strict VM (rows: saved on, columns: restored on, by letter)\n\n{}\n\n{}",
        moves::table(moves),
        moves::legend(moves)
    )
}

fn all(heard: &Heard, moves: &Moves) -> String {
    format!(
        "What hosts offer a fresh VM\n\n{}\n\n{LEGEND}\n\n{}\n{}\n{}\n{}",
        offers(moves),
        moved(moves),
        refusals::told(moves),
        differences::told(moves),
        mistakes::told(heard)
    )
}

/// Everything saved, with the values: on the emulated hosts first, then in the field.
fn offers(moves: &Moves) -> String {
    let mut table = text::table();
    let titles = COLUMNS.iter().map(|(_, title)| *title);
    table.set_header(["", "saved on"].into_iter().chain(titles).chain(["from"]));

    for (index, dump) in moves.matrix.dumps.iter().enumerate() {
        let mut row = vec![moves::letter(moves, index), dump.name.clone()];
        row.extend(COLUMNS.iter().map(|(id, _)| {
            let value = dump.registers.value(*id);
            value.map_or("-".to_owned(), |value| registers::short(*id, value))
        }));
        row.push(match moves.matrix.hosts.get(index) {
            Some(host) => host.about.clone(),
            None => "the field".to_owned(),
        });
        table.add_row(row);
    }
    table.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{example, told_of};

    #[test]
    fn the_report_fits_a_terminal() {
        let heard = example();
        let text = told_of(&heard, |moves| all(&heard, moves));
        for line in anstream::adapter::strip_str(&text).to_string().lines() {
            assert!(line.len() <= 100 && line == line.trim_end(), "`{line}`");
        }
    }
}
