// SPDX-License-Identifier: GPL-2.0

//! Where the two kinds of VM differ, and which deviation explains it.

use crate::model::deviations::Deviation;
use crate::model::matrix::{Fate, Vm};
use crate::model::moves::Moves;

/// Why a move ends otherwise for a default VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    NoWayBack,
    ToldOtherwise,
    Unexplained,
}

impl Cause {
    pub const ALL: [Self; 3] = [Self::NoWayBack, Self::ToldOtherwise, Self::Unexplained];

    pub fn applies(self, moves: &Moves, dump: usize, host: usize) -> bool {
        let [strict, default] = Vm::ALL.map(|vm| moves.cell(vm, dump, host));
        match self {
            Self::NoWayBack => default.fate() == Fate::OneWay && strict.back == Some(true),
            Self::ToldOtherwise => {
                strict.accepted
                    && strict.told_otherwise.is_empty()
                    && !default.told_otherwise.is_empty()
            }
            Self::Unexplained => {
                let explained = [Self::NoWayBack, Self::ToldOtherwise];
                let mut explained = explained.iter();
                moves.differ(dump, host) && !explained.any(|it| it.applies(moves, dump, host))
            }
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::NoWayBack => "A default VM has no way back",
            Self::ToldOtherwise => "The guest of a default VM is told otherwise",
            Self::Unexplained => "Not explained",
        }
    }

    /// With the deviation that is to blame, if there is one.
    pub fn why(self, deviations: &[Deviation]) -> String {
        let (deviation, why) = match self {
            Self::NoWayBack => (
                "D3",
                "What is restored into a default VM is checked and forgotten. On a host that offers \
                 more, the VM is saved with what that host offers, which the host that it came \
                 from then refuses.",
            ),
            Self::ToldOtherwise => (
                "D4",
                "The guest of a default VM sees what the host offers. A guest that asks again after \
                 the move, on a CPU that comes online then, sees another firmware than before.",
            ),
            Self::Unexplained => {
                return "This is none of the deviations that are meant.".to_owned()
            }
        };
        let found = deviations.iter().find(|found| found.name == deviation);
        let meant = found.map_or(String::new(), |found| {
            format!(" Deviation {}: {}.", found.name, found.description)
        });
        format!("{why}{meant}")
    }
}

/// Why the two kinds of VM differ in one move.
pub fn explain(moves: &Moves, deviations: &[Deviation], dump: usize, host: usize) -> Vec<String> {
    let causes = Cause::ALL.into_iter();
    let causes = causes.filter(|cause| cause.applies(moves, dump, host));
    causes.map(|cause| cause.why(deviations)).collect()
}
