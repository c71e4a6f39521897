// SPDX-License-Identifier: GPL-2.0

//! The figures as people read them.

use anyhow::{Context, Result};
use comfy_table::{presets::NOTHING, CellAlignment, Table};

use super::goal::{self, Row};
use super::{Bench, FLOOR};

/// The costs of the handlers alone, and what there is besides.
pub fn text(bench: &Bench) -> Result<String> {
    let [c, rust] = [&bench.c, &bench.rust].map(|kernel| &kernel.costs);
    let floor = rust.of(FLOOR).context("the floor was not measured")?;
    let mut costs = table(["Instructions", "C", "Rust", "Rust / C", "bounded by"])?;
    for row in goal::rows(c, rust)? {
        costs.add_row(cells(&row));
    }
    let mut sizes = table(["Bytes", "C", "Rust", "Rust / C", ""])?;
    let [of_c, of_rust] = [&bench.c.sizes, &bench.rust.sizes];
    for (name, c, rust) in [
        (
            ".text of what C does, too",
            of_c.text,
            of_rust.text - of_rust.apart(),
        ),
        (".rodata", of_c.rodata, of_rust.rodata),
        ("largest frame", of_c.stack, of_rust.stack),
    ] {
        sizes.add_row([
            name.to_owned(),
            c.to_string(),
            rust.to_string(),
            ratio(rust as f64, c as f64),
        ]);
    }
    let apart = of_rust.apart().to_string();
    sizes.add_row([".text that has no counterpart in C", "", &apart]);
    for (function, size) in &of_rust.functions {
        let same = of_c.functions.iter().find(|(name, _)| name == function);
        let c = same.map_or(String::new(), |(_, size)| size.to_string());
        sizes.add_row([format!("  {function}"), c, size.to_string()]);
    }
    for (function, size) in &of_c.functions {
        if of_rust.functions.iter().all(|(name, _)| name != function) {
            sizes.add_row([format!("  {function}"), size.to_string()]);
        }
    }
    let boot = format!(
        "Until /init runs, in thousands of instructions: {} with C, {} with Rust",
        bench.c.boot, bench.rust.boot
    );
    Ok(format!(
        "{costs}\n\nNot counted above: {floor:.1} of the way to the handlers and back, which an \
         unknown ioctl costs, too.\n\n{sizes}\n\n{boot}\n\n"
    ))
}

fn table(head: [&str; 5]) -> Result<Table> {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_header(head);
    for index in 1..4 {
        let column = table.column_mut(index).context("five columns")?;
        column.set_cell_alignment(CellAlignment::Right);
    }
    Ok(table)
}

fn cells(row: &Row) -> Vec<String> {
    let number = |of_c: Option<f64>| of_c.map_or(String::new(), |c| format!("{c:.1}"));
    let bound = match &row.bound {
        Some((peer, c)) if peer != row.access => {
            format!("{} x C's {peer}", ratio(row.rust, *c))
        }
        _ => String::new(),
    };
    vec![
        row.access.to_owned(),
        number(row.c),
        format!("{:.1}", row.rust),
        row.c.map_or(String::new(), |c| ratio(row.rust, c)),
        bound,
    ]
}

fn ratio(rust: f64, c: f64) -> String {
    format!("{:.2}", rust / c)
}
