// SPDX-License-Identifier: GPL-2.0

//! The form of the report: tables, lists and lines that fit a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::Table;

use crate::model::matrix::{Refusal, Why};
use crate::model::reason::Reason;
use crate::model::registers::{self, Id};

pub fn table() -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table
}

/// The errno, and the reason where it is known.
pub fn answer(refusal: &Refusal) -> String {
    match refusal.why {
        Some(Why { reason, .. }) => format!("{}, {}", refusal.errno, reason.text()),
        None => refusal.errno.clone(),
    }
}

/// What the reason is about: the host's offer, or what the VM has.
pub fn about(refusal: &Refusal) -> Option<String> {
    reason_about(refusal.id, &refusal.why?)
}

pub fn reason_about(id: Id, why: &Why) -> Option<String> {
    let (what, value) = match why.reason {
        Reason::ExceedsOffer => ("offer", why.offer),
        Reason::Frozen => ("has", why.promise),
        Reason::BadAddress | Reason::UnknownRegister | Reason::Malformed | Reason::WrongFeature => {
            return None
        }
    };
    Some(format!("{what} {}", registers::short(id, value)))
}

/// Breaks a line at spaces, so that it fits a terminal.
pub fn wrap(indent: usize, line: &str) -> String {
    const WIDTH: usize = 96;

    let mut text = " ".repeat(indent);
    let mut start = 0;
    for word in line.split_inclusive(' ') {
        if text.len() - start + word.trim_end().len() > WIDTH {
            text.truncate(text.trim_end().len());
            text.push('\n');
            start = text.len();
            text += &" ".repeat(indent + 2);
        }
        text += word;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lists_are_broken() {
        let line = vec!["word"; 50].join(", ");
        let text = wrap(2, &line);
        assert!(text
            .lines()
            .all(|line| line.len() <= 96 && line == line.trim_end()));
        assert_eq!(text.split_whitespace().count(), 50);
    }

    #[test]
    fn a_reason_tells_what_it_is_about() {
        let refusal = |reason| Refusal {
            id: 0x6030_0000_0014_0000,
            value: Some(0x1_0001),
            errno: "EBUSY".to_owned(),
            why: Some(Why {
                reason,
                promise: 0x1_0002,
                offer: 0x1_0003,
            }),
        };
        let cases = [
            (Reason::Frozen, Some("has 1.2")),
            (Reason::ExceedsOffer, Some("offer 1.3")),
            (Reason::Malformed, None),
        ];
        for (reason, text) in cases {
            assert_eq!(about(&refusal(reason)).as_deref(), text);
        }
    }
}
