// SPDX-License-Identifier: GPL-2.0

//! What became of a VM that moved, in one word.

use crate::model::fleet::matrix::Cell;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    Changed,
    OneWay,
    Refused,
}

impl State {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Changed, Self::OneWay, Self::Refused];

    pub fn of(cell: &Cell) -> Self {
        match (cell.accepted, cell.back, cell.told_otherwise.is_empty()) {
            (false, ..) => Self::Refused,
            (true, Some(false), _) => Self::OneWay,
            (true, _, false) => Self::Changed,
            (true, _, true) => Self::Ok,
        }
    }

    /// The name of its colour and of its sign.
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
            Self::Ok => {
                "the VM keeps what it was promised, and the host that it came from, where that is \
                 one of these, takes it back"
            }
            Self::Changed => {
                "accepted, but the VM's guest is told something else about its firmware than before"
            }
            Self::OneWay => {
                "accepted, but refused by the host that it came from when it comes back"
            }
            Self::Refused => "the host says that it cannot keep what the VM was promised",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fleet::matrix::{ToldOtherwise, Vm};

    #[test]
    fn the_worst_is_told() {
        let told = ToldOtherwise {
            register: 0,
            value: 0,
            told: 0,
            expected: 1,
        };
        let cases = [
            (true, Some(true), false, State::Ok),
            (true, None, false, State::Ok),
            (true, None, true, State::Changed),
            (true, Some(true), true, State::Changed),
            (true, Some(false), true, State::OneWay),
            (true, Some(false), false, State::OneWay),
            (false, None, false, State::Refused),
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
            assert_eq!(State::of(&cell), expected, "{cell:?}");
        }
    }
}
