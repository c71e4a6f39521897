// SPDX-License-Identifier: GPL-2.0

//! How the journeys of a running VM went, in words.

use super::terminal::text;
use crate::judge::travels::told;
use crate::model::travels::{End, Stay};

pub const TITLE: &str = "How a running VM fared";

pub const HEADER: [&str; 8] = [
    "journey",
    "host",
    "kernel",
    "QEMU",
    "the guest",
    "lines",
    "lost",
    "doubled",
];

pub const LEGEND: &str = "\
The guest is told its PSCI version and what WORKAROUND_1/2/3 stand for: 0 not available, 1
available, 2 not required (WORKAROUND_2: 3). It asks before each line that it writes.";

/// How many lines of QEMU's are shown: it may tell of every register that a kernel does not know.
const MESSAGES: usize = 6;

/// The row of a host, but for the journey.
pub fn row(stay: &Stay) -> [String; 7] {
    let word = |word: &str| [word, "", "", ""].map(str::to_owned);
    let [end, written, lost, doubled] = match &stay.end {
        End::Written(lines) => [
            format!("is told {}", told(lines)),
            lines.written.to_string(),
            lines.lost.to_string(),
            lines.doubled.to_string(),
        ],
        End::Refused(_) => word("is refused"),
        End::Failed(_) => word("is lost"),
    };
    let [host, kernel, qemu] = [&stay.host, &stay.kernel, &stay.qemu].map(String::clone);
    [host, kernel, qemu, end, written, lost, doubled]
}

/// Why it did not go on.
pub fn why(stay: &Stay) -> Vec<String> {
    let host = &stay.host;
    match &stay.end {
        End::Written(_) => Vec::new(),
        End::Failed(error) => {
            let lines = error.lines().map(|line| format!("{host}: {line}"));
            lines.collect()
        }
        End::Refused(refused) => {
            // It ends with what matters most.
            let more = refused.message.len().saturating_sub(MESSAGES);
            let more_text =
                (more > 0).then(|| format!("({more} lines more, see out/migrate.json)"));
            let message = refused.message.iter().skip(more).cloned();
            let message = more_text.into_iter().chain(message);
            let qemu = message.map(|line| format!("{host}, QEMU: {line}"));
            let kernel = refused.writes.iter().flatten().map(|it| {
                let about = text::reason_about(it.id, &it.why);
                let about = about.map_or(String::new(), |about| format!(" ({about})"));
                let (write, reason) = (it.write(), it.why.reason.text());
                format!("{host}, kernel: {write}: {reason}{about}")
            });
            qemu.chain(kernel).collect()
        }
    }
}
