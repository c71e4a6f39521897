// SPDX-License-Identifier: GPL-2.0

//! What hosts offer: everything saved, with the values.

use super::text;
use crate::model::moves::Matrix;
use crate::model::registers;

/// The emulated hosts first, then the field.
pub fn table(matrix: &Matrix) -> String {
    let mut table = text::table();
    let titles = registers::COLUMNS.iter().map(|(_, title)| *title);
    table.set_header(["", "saved on"].into_iter().chain(titles).chain(["from"]));

    for (index, dump) in matrix.dumps.iter().enumerate() {
        let mut row = vec![text::letter(matrix, index), dump.source.clone()];
        row.extend(registers::COLUMNS.iter().map(|(id, _)| {
            dump.value(*id)
                .map_or("-".to_owned(), |value| registers::short(*id, value))
        }));
        row.push(match matrix.hosts.get(index) {
            Some(host) => host.about(),
            None => "the field".to_owned(),
        });
        table.add_row(row);
    }
    table.trim_fmt()
}
