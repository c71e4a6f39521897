// SPDX-License-Identifier: GPL-2.0

//! The matrix: one cell for each move.

use anstyle::{AnsiColor, Style};
use comfy_table::Cell;

use super::text::{self, letter};
use crate::model::dump::Dump;
use crate::model::moves::{Matrix, Move};

/// Marks a move that ends otherwise for a default VM.
const DIFFERS: &str = "*";

pub fn table(matrix: &Matrix) -> String {
    let mut table = text::table();
    let letters = (0..matrix.hosts.len()).map(|index| Cell::new(letter(matrix, index)));
    table.set_header(["", "saved on"].map(Cell::new).into_iter().chain(letters));

    for (dump, Dump { source, .. }) in matrix.dumps.iter().enumerate() {
        let cells = (0..matrix.hosts.len()).map(|host| Cell::new(word(matrix, dump, host)));
        table.add_row(
            [Cell::new(letter(matrix, dump)), Cell::new(source)]
                .into_iter()
                .chain(cells),
        );
    }
    // Many hosts must fit a terminal.
    for column in table.column_iter_mut().skip(2) {
        column.set_padding((1, 0));
    }
    paint(&table.trim_fmt())
}

fn word(matrix: &Matrix, dump: usize, host: usize) -> String {
    let mark = match matrix.differs(dump, host) {
        true => DIFFERS,
        false => "",
    };
    format!(
        "{}{mark}",
        matrix.of_move(&matrix.strict, dump, host).word()
    )
}

/// Colours the words after the table has been laid out.
fn paint(table: &str) -> String {
    let color = |what| match what {
        Move::Ok => AnsiColor::Green,
        Move::Changed | Move::OneWay => AnsiColor::Yellow,
        Move::Refused => AnsiColor::Red,
    };
    let moves = [Move::Ok, Move::Changed, Move::OneWay, Move::Refused];
    moves.into_iter().fold(table.to_owned(), |table, what| {
        let (word, style) = (what.word(), Style::new().fg_color(Some(color(what).into())));
        table.replace(&format!(" {word}"), &format!(" {style}{word}{style:#}"))
    })
}

/// What the words mean, and how often each came.
pub fn legend(matrix: &Matrix) -> String {
    let count = |meant: Move| {
        let moves = matrix.moves();
        moves
            .filter(|(dump, host)| matrix.of_move(&matrix.strict, *dump, *host) == meant)
            .count()
    };
    let differ = matrix
        .moves()
        .filter(|(dump, host)| matrix.differs(*dump, *host))
        .count();
    [
        (
            Move::Ok.word(),
            count(Move::Ok),
            "accepted, and taken back by the host it came from, where that is one of these",
        ),
        (
            Move::Changed.word(),
            count(Move::Changed),
            "accepted, but the guest is told something else than its registers say",
        ),
        (
            Move::OneWay.word(),
            count(Move::OneWay),
            "one way: accepted, but refused by the host it came from when it comes back",
        ),
        (Move::Refused.word(), count(Move::Refused), "refused"),
        (DIFFERS, differ, "otherwise for a default VM, see below"),
    ]
    .iter()
    .map(|(word, count, meaning)| format!("{word:>4} {count:>4}  {meaning}\n"))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let text = anstream::adapter::strip_str(text).to_string();
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        text.lines().map(words).collect()
    }

    #[test]
    fn verdicts_are_words_not_only_colours() {
        let mut matrix = example();
        let rows_of = |matrix: &Matrix| rows(&table(matrix));
        assert_eq!(rows_of(&matrix)[1], ["A", "good", "ok", "NO"]);
        assert_eq!(rows_of(&matrix)[2], ["B", "bad", "ok*", "ok"]);
        assert_eq!(rows_of(&matrix)[3], ["field", "ok", "NO"]);

        std::mem::swap(&mut matrix.strict, &mut matrix.default);
        assert_eq!(rows_of(&matrix)[2], ["B", "bad", "1w*", "ok"]);
    }

    #[test]
    fn the_legend_counts() {
        let rows = rows(&legend(&example()));
        let counts: Vec<&[String]> = rows.iter().map(|row| &row[..2]).collect();
        assert_eq!(
            counts,
            [
                ["ok", "4"],
                ["ch", "0"],
                ["1w", "0"],
                ["NO", "2"],
                ["*", "1"]
            ]
        );
    }
}
