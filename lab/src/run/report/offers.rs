// SPDX-License-Identifier: GPL-2.0

//! What hosts offer: everything saved, with the values.

use super::text;
use crate::hosts::Host;
use crate::registers;
use crate::run::matrix::Matrix;

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
            Some(host) => from(host),
            None => "the field".to_owned(),
        });
        table.add_row(row);
    }
    table.trim_fmt()
}

/// What decides about the offer.
fn from(host: &Host) -> String {
    let mut from = format!("{} {}", host.cpu, host.cmdline);
    if let Some(answers) = host.firmware {
        let [one, two, three] = answers.all();
        from = format!("{}, firmware {one}/{two}/{three}", from.trim_end());
    }
    from
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::Answers;
    use crate::run::example::example;

    #[test]
    fn a_host_is_told_with_its_firmware() {
        let mut host = example().hosts.remove(0);
        host.cmdline = "mitigations=off".to_owned();
        assert_eq!(from(&host), "max mitigations=off");
        host.firmware = Some(Answers {
            workaround_1: 0,
            workaround_2: -2,
            workaround_3: -1,
        });
        assert_eq!(from(&host), "max mitigations=off, firmware 0/-2/-1");
    }
}
