// SPDX-License-Identifier: GPL-2.0

//! What was refused, and why.

use std::collections::BTreeSet;

use super::text::{about, answer, wrap};
use crate::model::matrix::{Refusal, Vm};
use crate::model::moves::Moves;

/// Each refused value once, with the dumps that hold it and the hosts that refuse it.
pub fn told(moves: &Moves) -> String {
    let refusals = |dump, host| &moves.cell(Vm::Strict, dump, host).refusals;
    let all: BTreeSet<&Refusal> = moves
        .all()
        .flat_map(|(dump, host)| refusals(dump, host))
        .collect();
    if all.is_empty() {
        return "No refusals.\n".to_owned();
    }

    let mut text =
        "Refusals (register = value: errno, reason; saved on -> refused by)\n".to_owned();
    let mut last = String::new();
    for refusal in all {
        let title = format!("\n{}: {}\n", refusal.write(), answer(refusal));
        if title != last {
            text += &title;
            last = title;
        }
        let about = about(refusal).map_or(String::new(), |about| format!("{about}: "));
        for (from, to) in moves.named(|dump, host| refusals(dump, host).contains(refusal)) {
            text += &wrap(2, &format!("{about}{from} -> {to}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{example, told_of};

    #[test]
    fn the_same_refusal_is_told_once() {
        let expected =
            "\nSMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer\n  \
                        offer 1: good, field -> bad\n";
        assert!(told_of(&example(), told).ends_with(expected));
    }

    #[test]
    fn no_refusals_are_told_too() {
        let mut heard = example();
        heard.strict.there[1] = heard.strict.there[0].clone();
        assert_eq!(told_of(&heard, told), "No refusals.\n");
    }
}
