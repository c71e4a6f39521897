// SPDX-License-Identifier: GPL-2.0

//! What is told about one move: what became of each kind of VM, and why. Many moves end the same,
//! so each text is there once.

use std::collections::HashMap;

use anyhow::Result;
use askama::Template;

use super::moves::Moves;
use super::state::State;
use super::{difference, title};
use crate::model::deviations::Deviation;
use crate::model::discovery;
use crate::model::fleet::matrix::{Cell, Refusal, ToldOtherwise, Vm};
use crate::model::registers::{long, name};

#[derive(Template)]
#[template(path = "detail.html")]
struct Detail {
    sides: Vec<Side>,
    /// Why the two sides are not the same.
    differs: Vec<String>,
}

struct Side {
    title: &'static str,
    state: State,
    way_back: Option<String>,
    lists: Vec<List>,
}

struct List {
    title: &'static str,
    /// A register with its value, and what is known about it.
    items: Vec<(String, String)>,
}

#[derive(Default)]
pub struct Details {
    texts: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Details {
    /// The number of the text about a move.
    pub fn number(
        &mut self,
        moves: &Moves,
        deviations: &[Deviation],
        dump: usize,
        host: usize,
    ) -> Result<usize> {
        let side = |vm| side(vm, moves.cell(vm, dump, host));
        let detail = Detail {
            sides: Vm::ALL.map(side).into(),
            differs: difference::explain(moves, deviations, dump, host),
        };
        let text = detail.render()?;
        let next = self.texts.len();
        let number = *self.numbers.entry(text.clone()).or_insert(next);
        if number == next {
            self.texts.push(text);
        }
        Ok(number)
    }

    pub fn texts(self) -> Vec<String> {
        self.texts
    }
}

fn side(vm: Vm, cell: &Cell) -> Side {
    let lists = [
        List {
            title: "Refused:",
            items: cell.refusals.iter().map(refusal).collect(),
        },
        List {
            title: "What the host that it came from refuses then:",
            items: cell.refusals_back.iter().map(refusal).collect(),
        },
        List {
            title: "What the guest is told otherwise:",
            items: cell.told_otherwise.iter().map(told).collect(),
        },
    ];
    Side {
        title: title(vm),
        state: State::of(cell),
        way_back: way_back(cell),
        lists: Vec::from_iter(lists.into_iter().filter(|list| !list.items.is_empty())),
    }
}

fn way_back(cell: &Cell) -> Option<String> {
    let text = match (cell.accepted, cell.back) {
        (false, _) => return None,
        (true, None) => "Accepted. The host that it came from is not one of these.",
        (true, Some(true)) => "Accepted, and accepted again by the host that it came from.",
        (true, Some(false)) => "Accepted, but not by the host that it came from, when it is back.",
    };
    Some(text.to_owned())
}

/// A refused write, and why it was refused.
pub fn refusal(refusal: &Refusal) -> (String, String) {
    let Refusal {
        register, value, ..
    } = refusal;
    let mut facts = refusal.errno.clone();
    if let Some(reason) = refusal.reason {
        facts += &format!(": {}", reason.text());
    }
    if let Some(offer) = refusal.offer {
        facts += &format!("; the offer is {}", long(*register, offer.0));
    }
    let what = format!("{} = {}", name(*register), long(*register, *value));
    (what, facts)
}

fn told(told: &ToldOtherwise) -> (String, String) {
    let ToldOtherwise {
        register, value, ..
    } = told;
    let what = format!("{} = {}", name(*register), long(*register, *value));
    let show = discovery::show;
    let facts = format!(
        "it should be told {}, and is told {}",
        show(told.expected),
        show(told.told)
    );
    (what, facts)
}
