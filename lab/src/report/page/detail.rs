// SPDX-License-Identifier: GPL-2.0

//! What is told about one move: what became of each kind of VM, and why. Many moves end the same,
//! so each text is there once.

use std::collections::HashMap;

use anyhow::Result;
use askama::Template;

use super::title;
use crate::judge::differences;
use crate::model::deviations::Deviation;
use crate::model::matrix::{show, Cell, Contradiction, Fate, Refusal, Vm};
use crate::model::moves::Moves;
use crate::model::registers::{long, name};

#[derive(Template)]
#[template(path = "detail.html")]
struct Detail {
    sides: Vec<Half>,
    /// Why the two sides are not the same.
    differs: Vec<String>,
}

struct Half {
    title: &'static str,
    fate: Fate,
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
            differs: differences::explain(moves, deviations, dump, host),
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

fn side(vm: Vm, cell: &Cell) -> Half {
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
    Half {
        title: title(vm),
        fate: cell.fate(),
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
    let mut facts = refusal.errno.clone();
    if let Some(why) = refusal.why {
        let (reason, offer) = (why.reason.text(), long(refusal.id, why.offer));
        facts += &format!(": {reason}; the offer is {offer}");
    }
    (refusal.write(), facts)
}

fn told(told: &Contradiction) -> (String, String) {
    let what = format!("{} = {}", name(told.id), long(told.id, told.value));
    let (expected, told) = (show(told.expected), show(told.told));
    let facts = format!("it should be told {expected}, and is told {told}");
    (what, facts)
}
