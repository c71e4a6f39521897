// SPDX-License-Identifier: GPL-2.0

//! What a cell of a matrix comes to.

use super::Cell;

/// What becomes of a VM that moves to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Ok,
    Changed,
    OneWay,
    Refused,
}

impl Fate {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Changed, Self::OneWay, Self::Refused];

    /// As a table shows it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "ch",
            Self::OneWay => "1w",
            Self::Refused => "NO",
        }
    }

    /// The name of its colour and of its picture on the page.
    pub fn class(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "changed",
            Self::OneWay => "one-way",
            Self::Refused => "refused",
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "accepted",
            Self::Changed => "told otherwise",
            Self::OneWay => "no way back",
            Self::Refused => "refused",
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "taken back by the host it came from, where that is one of these",
            Self::Changed => {
                "accepted, but the guest is told something else than its registers say"
            }
            Self::OneWay => "accepted, but refused by the host it came from when it comes back",
            Self::Refused => "the host cannot keep what the VM was promised",
        }
    }
}

impl Cell {
    pub fn fate(&self) -> Fate {
        match (self.accepted, self.back, self.told_otherwise.is_empty()) {
            (false, ..) => Fate::Refused,
            (true, Some(false), _) => Fate::OneWay,
            (true, _, false) => Fate::Changed,
            (true, _, true) => Fate::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Contradiction, Vm};

    #[test]
    fn the_worst_is_told() {
        let told = Contradiction {
            id: 0,
            value: 0,
            told: 0,
            expected: 1,
        };
        let cases = [
            (true, Some(true), false, Fate::Ok),
            (true, None, false, Fate::Ok),
            (true, None, true, Fate::Changed),
            (true, Some(true), true, Fate::Changed),
            (true, Some(false), true, Fate::OneWay),
            (true, Some(false), false, Fate::OneWay),
            (false, None, false, Fate::Refused),
        ];
        for (accepted, back, otherwise, expected) in cases {
            let cell = Cell {
                vm: Vm::Default,
                dump: String::new(),
                host: String::new(),
                accepted,
                refusals: Vec::new(),
                back,
                refusals_back: Vec::new(),
                told_otherwise: Vec::from_iter(otherwise.then(|| told.clone())),
            };
            assert_eq!(cell.fate(), expected, "{cell:?}");
        }
    }
}
