// SPDX-License-Identifier: GPL-2.0

//! What `lab migrate` prints: how the journeys went, and why some ended.

use super::text;
use crate::judge::travels::told;
use crate::model::travels::{End, Stay, Travel};

const HEADER: [&str; 8] = [
    "journey",
    "host",
    "kernel",
    "QEMU",
    "the guest",
    "lines",
    "lost",
    "doubled",
];

pub fn all(travels: &[Travel]) -> String {
    let mut table = text::table();
    table.set_header(HEADER);
    for travel in travels {
        for (index, stay) in travel.stays.iter().enumerate() {
            let name = if index == 0 {
                &*travel.journey.name
            } else {
                ""
            };
            let [end, lines @ ..] = end(stay);
            let row = [name, &stay.host, &stay.kernel, &stay.qemu, &end].map(str::to_owned);
            table.add_row(row.into_iter().chain(lines));
        }
    }
    let mut text = format!(
        "How a running VM fared\n\n{}\n\n{LEGEND}\n",
        table.trim_fmt()
    );
    for travel in travels {
        text += &text::wrap(
            0,
            &format!("{}: {}", travel.journey.name, travel.journey.story),
        );
        if let Some(reason) = &travel.left_out {
            text += &format!("  left out: {reason}\n");
        }
        for stay in &travel.stays {
            text += &why(stay);
        }
    }
    text
}

/// How many lines of QEMU's are shown: it may tell of every register that a kernel does not know.
const MESSAGES: usize = 6;

const LEGEND: &str = "\
The guest is told its PSCI version and what WORKAROUND_1/2/3 stand for: 0 not available, 1
available, 2 not required (WORKAROUND_2: 3). It asks before each line that it writes.";

fn end(stay: &Stay) -> [String; 4] {
    let word = |word: &str| [word, "", "", ""].map(str::to_owned);
    match &stay.end {
        End::Written(lines) => [
            format!("is told {}", told(lines)),
            lines.written.to_string(),
            lines.lost.to_string(),
            lines.doubled.to_string(),
        ],
        End::Refused(_) => word("is refused"),
        End::Failed(_) => word("is lost"),
    }
}

/// Why it did not go on.
fn why(stay: &Stay) -> String {
    let host = &stay.host;
    match &stay.end {
        End::Written(_) => String::new(),
        End::Failed(error) => {
            let lines = error.lines().map(|line| format!("  {host}: {line}\n"));
            lines.collect()
        }
        End::Refused(refused) => {
            // It ends with what matters most.
            let more = refused.message.len().saturating_sub(MESSAGES);
            let more_text =
                (more > 0).then(|| format!("({more} lines more, see out/migrate.json)"));
            let message = refused.message.iter().skip(more).cloned();
            let message = more_text.into_iter().chain(message);
            let qemu = message.map(|line| text::wrap(2, &format!("{host}, QEMU: {line}")));
            let kernel = refused.writes.iter().flatten().map(|it| {
                let about = text::reason_about(it.id, &it.why);
                let about = about.map_or(String::new(), |about| format!(" ({about})"));
                let (write, reason) = (it.write(), it.why.reason.text());
                text::wrap(2, &format!("{host}, kernel: {write}: {reason}{about}"))
            });
            qemu.chain(kernel).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::journeys::Journey;
    use crate::model::matrix::Why;
    use crate::model::page::Page;
    use crate::model::reason::Reason;
    use crate::model::registers::PSCI_VERSION;
    use crate::model::travels::{Refused, RefusedWrite};

    fn example() -> Travel {
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
