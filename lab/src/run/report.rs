// SPDX-License-Identifier: GPL-2.0

//! What `lab run` prints: hosts and dumps with their values, the matrix, and the refusals.

use std::collections::BTreeSet;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};

use super::Matrix;
use crate::registers;
use crate::vmm::Refusal;

/// Prints to standard output; colours only where a terminal reads them.
pub fn print(matrix: &Matrix) -> Result<()> {
    let mut out = anstream::stdout().lock();
    writeln!(out, "What hosts offer a fresh VM\n\n{}", offers(matrix))?;
    writeln!(out, "\n{}\n", registers::LEGEND)?;
    writeln!(
        out,
        "Who accepts whose VM (rows: saved on, columns: restored on, by letter)\n\n{}",
        verdicts(matrix)
    )?;
    writeln!(out, "\n{}", refusals(matrix))?;
    Ok(())
}

fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table
}

/// A host's letter in the matrix; nothing for a dump from the field.
fn letter(matrix: &Matrix, index: usize) -> String {
    if index < matrix.hosts.len() {
        char::from_u32('A' as u32 + index as u32)
            .unwrap_or('?')
            .to_string()
    } else {
        String::new()
    }
}

/// Everything saved, with the values: the emulated hosts first, then the field.
fn offers(matrix: &Matrix) -> String {
    let mut table = table();
    let titles = registers::COLUMNS.iter().map(|(_, title)| *title);
    table.set_header(["", "saved on"].into_iter().chain(titles).chain(["from"]));

    for (index, dump) in matrix.dumps.iter().enumerate() {
        let mut row = vec![letter(matrix, index), dump.source.clone()];
        row.extend(registers::COLUMNS.iter().map(|(id, _)| {
            dump.value(*id)
                .map_or("-".to_owned(), |value| registers::short(*id, value))
        }));
        row.push(match matrix.hosts.get(index) {
            Some(host) => format!("{} {}", host.cpu, host.cmdline),
            None => "the field".to_owned(),
        });
        table.add_row(row);
    }
    table.trim_fmt()
}

fn verdicts(matrix: &Matrix) -> String {
    let mut table = table();
    let letters = (0..matrix.hosts.len()).map(|index| letter(matrix, index));
    table.set_header(
        [Cell::new(""), Cell::new("saved on")]
            .into_iter()
            .chain(letters.map(|letter| Cell::new(letter).set_alignment(CellAlignment::Center))),
    );

    for (index, (dump, row)) in matrix.dumps.iter().zip(&matrix.refusals).enumerate() {
        let cells = row.iter().map(|refusals| {
            Cell::new(if refusals.is_empty() { "ok" } else { "NO" })
                .set_alignment(CellAlignment::Center)
        });
        table.add_row(
            [Cell::new(letter(matrix, index)), Cell::new(&dump.source)]
                .into_iter()
                .chain(cells),
        );
    }
    paint(&table.trim_fmt())
}

/// Colours the verdicts after the table has been laid out.
fn paint(table: &str) -> String {
    let good = Style::new().fg_color(Some(AnsiColor::Green.into()));
    let bad = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
    table
        .replace(" ok", &format!(" {good}ok{good:#}"))
        .replace(" NO", &format!(" {bad}NO{bad:#}"))
}

/// Each refused value once, with the dumps that hold it and the hosts that refuse it.
fn refusals(matrix: &Matrix) -> String {
    let all = || matrix.refusals.iter().flatten().flatten();
    let values: BTreeSet<_> = all().map(|r| (r.id, r.value, &r.errno)).collect();
    if values.is_empty() {
        return "No refusals.".to_owned();
    }

    let mut text = "Refusals (register = value: errno; saved on -> refused by)\n".to_owned();
    for (id, value, errno) in values {
        let (name, value_name) = (registers::name(id), registers::long(id, value));
        text += &format!("\n{name} = {value_name}: {errno}\n");

        let is_meant = |r: &Refusal| (r.id, r.value, &r.errno) == (id, value, errno);
        for (sources, targets) in by_targets(matrix, is_meant) {
            text += &wrap(&format!("{} -> {}", sources.join(", "), targets.join(", ")));
        }
    }
    text
}

/// Which dumps meet such a refusal on which hosts; dumps with the same hosts are one item.
fn by_targets(matrix: &Matrix, is_meant: impl Fn(&Refusal) -> bool) -> Vec<(Vec<&str>, Vec<&str>)> {
    let mut groups: Vec<(Vec<&str>, Vec<&str>)> = Vec::new();
    for (dump, row) in matrix.dumps.iter().zip(&matrix.refusals) {
        let targets: Vec<&str> = row
            .iter()
            .zip(&matrix.hosts)
            .filter(|(refusals, _)| refusals.iter().any(&is_meant))
            .map(|(_, host)| host.name.as_str())
            .collect();
        if targets.is_empty() {
            continue;
        }
        match groups.iter_mut().find(|(_, found)| *found == targets) {
            Some((sources, _)) => sources.push(&dump.source),
            None => groups.push((vec![&dump.source], targets)),
        }
    }
    groups
}

/// Breaks a list at spaces, so that it fits a terminal.
fn wrap(line: &str) -> String {
    const WIDTH: usize = 96;

    let mut text = "  ".to_owned();
    let mut start = 0;
    for word in line.split_inclusive(' ') {
        if text.len() - start + word.trim_end().len() > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            start = text.len();
            text += "    ";
        }
        text += word;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dump::Dump;
    use crate::hosts::Host;

    fn matrix() -> Matrix {
        let host = |name: &str| Host {
            name: name.to_owned(),
            cpu: "max".to_owned(),
            cmdline: String::new(),
            memory: 512,
            cpus: 1,
        };
        let dump = |source: &str| Dump {
            source: source.to_owned(),
            registers: vec![(0x6030_0000_0014_0001, 2)],
        };
        let refused = vec![Refusal {
            id: 0x6030_0000_0014_0001,
            value: 2,
            errno: "EINVAL".to_owned(),
        }];
        Matrix {
            hosts: vec![host("good"), host("bad")],
            dumps: vec![dump("good"), dump("bad"), dump("field")],
            refusals: vec![
                vec![vec![], refused.clone()],
                vec![vec![], vec![]],
                vec![vec![], refused],
            ],
        }
    }

    #[test]
    fn the_same_refusal_is_told_once() {
        let text = refusals(&matrix());
        assert!(text.ends_with(
            "\nSMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL\n  good, field -> bad\n"
        ));
    }

    #[test]
    fn verdicts_are_words_not_only_colours() {
        let text = anstream::adapter::strip_str(&verdicts(&matrix())).to_string();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(rows[1], ["A", "good", "ok", "NO"]);
        assert_eq!(rows[2], ["B", "bad", "ok", "ok"]);
        assert_eq!(rows[3], ["field", "ok", "NO"]);
    }

    #[test]
    fn long_lists_are_broken() {
        let line = vec!["word"; 50].join(", ");
        let text = wrap(&line);
        assert!(text
            .lines()
            .all(|line| line.len() <= 96 && line == line.trim_end()));
        assert_eq!(text.split_whitespace().count(), 50);
    }
}
