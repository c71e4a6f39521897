// SPDX-License-Identifier: GPL-2.0

//! What `lab run` prints: hosts and dumps with their values, the matrix, and the refusals.

use std::collections::BTreeMap;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{Cell, CellAlignment, Table};

use super::Matrix;
use crate::registers;

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
    // Value and errno; then the targets that refuse it; then the sources that hold it.
    let mut values: BTreeMap<(u64, u64, &str), BTreeMap<&str, Vec<String>>> = BTreeMap::new();
    for (dump, row) in matrix.dumps.iter().zip(&matrix.refusals) {
        let mut by_value: BTreeMap<(u64, u64, &str), Vec<String>> = BTreeMap::new();
        for (target, refusals) in row.iter().enumerate() {
            for refusal in refusals {
                by_value
                    .entry((refusal.id, refusal.value, &refusal.errno))
                    .or_default()
                    .push(matrix.hosts[target].name.clone());
            }
        }
        for (value, targets) in by_value {
            values
                .entry(value)
                .or_default()
                .insert(&dump.source, targets);
        }
    }
    if values.is_empty() {
        return "No refusals.".to_owned();
    }

    let mut text = "Refusals (register = value: errno; saved on -> refused by)\n".to_owned();
    for ((id, value, errno), sources) in values {
        text += &format!(
            "\n{} = {}: {errno}\n",
            registers::name(id),
            registers::long(id, value)
        );
        let mut by_targets: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
        for (source, targets) in sources {
            match by_targets.iter_mut().find(|(found, _)| *found == targets) {
                Some((_, sources)) => sources.push(source),
                None => by_targets.push((targets, vec![source])),
            }
        }
        for (targets, sources) in by_targets {
            text += &wrap(&format!("{} -> {}", sources.join(", "), targets.join(", ")));
        }
    }
    text
}

/// Breaks a list at spaces, so that it fits a terminal.
fn wrap(line: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in line.split(' ') {
        if width == 0 || width + 1 + word.len() > 96 {
            text += if width == 0 { "  " } else { "\n    " };
            width = if width == 0 { 2 } else { 4 };
        } else {
            text.push(' ');
            width += 1;
        }
        text += word;
        width += word.len();
    }
    text.push('\n');
    text
}
