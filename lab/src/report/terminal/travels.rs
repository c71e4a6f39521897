// SPDX-License-Identifier: GPL-2.0

//! What `lab migrate` prints: how the journeys went, and why some ended.

use super::text;
use crate::model::travels::Travel;
use crate::report::travels::{row, why, HEADER, LEGEND, TITLE};

pub fn all(travels: &[Travel]) -> String {
    let mut table = text::table();
    table.set_header(HEADER);
    for travel in travels {
        let names = [travel.journey.name.as_str()].into_iter();
        for (name, stay) in names.chain(std::iter::repeat("")).zip(&travel.stays) {
            table.add_row([name.to_owned()].into_iter().chain(row(stay)));
        }
    }
    let mut text = format!("{TITLE}\n\n{}\n\n{LEGEND}\n", table.trim_fmt());
    for travel in travels {
        text += &text::wrap(
            0,
            &format!("{}: {}", travel.journey.name, travel.journey.story),
        );
        if let Some(reason) = &travel.left_out {
            text += &format!("  left out: {reason}\n");
        }
        for line in travel.stays.iter().flat_map(why) {
            text += &text::wrap(2, &line);
        }
    }
    text
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::model::journeys::Journey;
    use crate::model::matrix::Why;
    use crate::model::page::Page;
    use crate::model::reason::Reason;
    use crate::model::registers::PSCI_VERSION;
    use crate::model::travels::{End, Refused, RefusedWrite, Stay};

    pub fn example() -> Travel {
        let line = "line 1 psci 0x10003 wa1 0 wa2 -2 wa3 -1\n";
        let told = Page::default().take(line, &[]).unwrap();
        let why = Why {
            reason: Reason::ExceedsOffer,
            promise: 0x1_0001,
            offer: 0x1_0001,
        };
        let refused = Refused {
            message: (1..=9)
                .map(|number| format!("{number} {}", "long ".repeat(30).trim_end()))
                .collect(),
            writes: Some(vec![RefusedWrite {
                id: PSCI_VERSION,
                value: 0x1_0003,
                why,
            }]),
        };
        let stay = |end| Stay {
            host: "n1-v4-off".to_owned(),
            kernel: "rust, strict".to_owned(),
            qemu: "11.1.3".to_owned(),
            end,
        };
        let ends = [
            End::Written(told),
            End::Refused(refused),
            End::Failed("lost\n  last act: act load".to_owned()),
        ];
        Travel {
            journey: Journey::between("n1-v4-off", "n1", "11", None, true),
            left_out: None,
            stays: ends.map(stay).into(),
            seconds: 1,
        }
    }

    #[test]
    fn a_refusal_is_told_with_what_qemu_and_the_kernel_say() {
        let text = all(&[example()]);
        for line in [
            "is told 1.3 1/3/0  1      0     0\n",
            "  is refused\n",
            "  is lost\n",
            "  n1-v4-off, QEMU: (3 lines more, see out/migrate.json)\n",
            "  n1-v4-off, kernel: PSCI_VERSION = 1.3: exceeds the offer (offer 1.1)\n",
            "  n1-v4-off:   last act: act load\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
        assert!(!text.contains("QEMU: 3 long") && text.contains("QEMU: 4 long"));
    }

    #[test]
    fn the_report_fits_a_terminal() {
        for line in all(&[example()]).lines() {
            assert!(line.len() <= 100 && line == line.trim_end(), "`{line}`");
        }
    }

    #[test]
    fn what_was_left_out_is_told() {
        let travel = Travel {
            left_out: Some("the kernel debian-6.1 is not there".to_owned()),
            stays: Vec::new(),
            ..example()
        };
        assert!(all(&[travel]).contains("  left out: the kernel debian-6.1 is not there\n"));
    }
}
