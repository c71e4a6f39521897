// SPDX-License-Identifier: GPL-2.0

//! The matrix: one cell for each move.

use anstyle::{AnsiColor, Style};
use comfy_table::Cell;

use super::text;
use crate::model::matrix::{Fate, Vm};
use crate::model::moves::Moves;

/// Marks a move that ends otherwise for a default VM.
const DIFFERS: &str = "*";

pub fn table(moves: &Moves) -> String {
    let mut table = text::table();
    let hosts = || 0..moves.hosts.len();
    let letters = hosts().map(|host| letter(moves, host));
    let header = ["", "saved on"].into_iter().map(str::to_owned);
    table.set_header(header.chain(letters));

    for (dump, source) in moves.dumps.iter().enumerate() {
        let cells = hosts().map(|host| {
            let mark = if moves.differ(dump, host) {
                DIFFERS
            } else {
                ""
            };
            format!("{}{mark}", moves.fate(Vm::Strict, dump, host).sign())
        });
        let row = [letter(moves, dump), (*source).to_owned()];
        table.add_row(row.into_iter().chain(cells).map(Cell::new));
    }
    // Many hosts must fit a terminal.
    for column in table.column_iter_mut().skip(2) {
        column.set_padding((1, 0));
    }
    paint(table.trim_fmt())
}

/// A host's letter in the matrix; nothing for a dump from the field.
pub fn letter(moves: &Moves, dump: usize) -> String {
    let letter = ('A'..).nth(dump).filter(|_| dump < moves.hosts.len());
    letter.map_or(String::new(), String::from)
}

/// Colours the signs after the table has been laid out.
fn paint(table: String) -> String {
    Fate::ALL.into_iter().fold(table, |table, fate| {
        let color = match fate {
            Fate::Ok => AnsiColor::Green,
            Fate::Changed | Fate::OneWay => AnsiColor::Yellow,
            Fate::Refused => AnsiColor::Red,
        };
        let (sign, style) = (fate.sign(), Style::new().fg_color(Some(color.into())));
        table.replace(&format!(" {sign}"), &format!(" {style}{sign}{style:#}"))
    })
}

/// What the signs mean, and how often each came.
pub fn legend(moves: &Moves) -> String {
    let line = |sign, count: usize, meaning: &str| format!("{sign:>4} {count:>4}  {meaning}\n");
    let fates = Fate::ALL.map(|fate| {
        let count = moves.count(|dump, host| moves.fate(Vm::Strict, dump, host) == fate);
        let meaning = format!("{}: {}", fate.word(), fate.meaning());
        line(fate.sign(), count, &meaning)
    });
    let differ = moves.count(|dump, host| moves.differ(dump, host));
    fates.concat()
        + &line(
            DIFFERS,
            differ,
            "ends otherwise for a default VM, see below",
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{example, told_of};
    use crate::model::heard::Heard;

    fn rows(heard: &Heard, text: fn(&Moves) -> String) -> Vec<Vec<String>> {
        let text = told_of(heard, text);
        let text = anstream::adapter::strip_str(&text).to_string();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        text.lines().map(words).collect()
    }

    #[test]
    fn verdicts_are_words_not_only_colours() {
        let mut heard = example();
        assert_eq!(rows(&heard, table)[1], ["A", "good", "ok", "NO"]);
        assert_eq!(rows(&heard, table)[2], ["B", "bad", "ok*", "ok"]);
        assert_eq!(rows(&heard, table)[3], ["field", "ok", "NO"]);

        std::mem::swap(&mut heard.strict, &mut heard.default);
        assert_eq!(rows(&heard, table)[2], ["B", "bad", "1w*", "ok"]);
    }

    #[test]
    fn the_legend_counts() {
        let rows = rows(&example(), legend);
        let counts: Vec<String> = rows.iter().map(|row| row[..2].join(" ")).collect();
        assert_eq!(counts, ["ok 4", "ch 0", "1w 0", "NO 2", "* 1"]);
    }
}
