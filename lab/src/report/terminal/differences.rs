// SPDX-License-Identifier: GPL-2.0

//! Where a move ends otherwise for a default VM.

use std::collections::BTreeSet;

use super::text::{about, answer, wrap};
use crate::judge::differences::Cause;
use crate::model::matrix::{Refusal, Vm};
use crate::model::moves::Moves;

pub fn told(moves: &Moves) -> String {
    if !moves.all().any(|(dump, host)| moves.differ(dump, host)) {
        return "A default VM fares the same.\n".to_owned();
    }
    let mut text =
        "Where a move ends otherwise for a default VM (saved on -> restored on)\n".to_owned();
    for cause in Cause::ALL {
        let applies = |dump, host| cause.applies(moves, dump, host);
        let told = match cause {
            Cause::NoWayBack => ways_back(moves, applies),
            Cause::ToldOtherwise | Cause::Unexplained => {
                let named = moves.named(applies).into_iter();
                named
                    .map(|(from, to)| wrap(2, &format!("{from} -> {to}")))
                    .collect()
            }
        };
        if !told.is_empty() {
            text += &format!("\n{}:\n{told}", cause.title());
        }
    }
    text
}

/// These moves with what is refused on the way back. Those that are refused for the same values are
/// told together.
fn ways_back(moves: &Moves, is_meant: impl Fn(usize, usize) -> bool) -> String {
    let refusals = |dump, host| {
        let refusals = &moves.cell(Vm::Default, dump, host).refusals_back;
        is_meant(dump, host).then_some(refusals)
    };
    let all = moves.all().filter_map(|(dump, host)| refusals(dump, host));
    let all: BTreeSet<&Vec<Refusal>> = all.collect();

    let mut text = String::new();
    for group in all {
        for (home, away) in moves.named(|dump, host| refusals(dump, host) == Some(group)) {
            text += &wrap(2, &format!("{home} -> {away} -> back"));
        }
        for refusal in group {
            let about = about(refusal).map_or(String::new(), |about| format!(" ({about})"));
            text += &wrap(
                6,
                &format!("{}: {}{about}", refusal.write(), answer(refusal)),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::{example, told_of};
    use crate::model::heard::Heard;

    #[test]
    fn one_way_moves_are_told_with_their_refusals() {
        let expected = "\nA default VM has no way back:\n  bad -> good -> back\n      \
                        SMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer \
                        (offer 1)\n";
        let text = told_of(&example(), told);
        assert!(text.contains(expected), "{text}");
    }

    #[test]
    fn every_difference_is_told() {
        let unexplained = |heard: &Heard, moved: &str| {
            let text = told_of(heard, told);
            assert!(
                text.ends_with(&format!("\nNot explained:\n  {moved}\n")),
                "{text}"
            );
        };
        let mut heard = example();
        std::mem::swap(&mut heard.strict, &mut heard.default);
        unexplained(&heard, "bad -> good");

        let mut heard = example();
        heard.default.there[1][2] = heard.default.there[0][0].clone();
        unexplained(&heard, "field -> bad");
    }

    #[test]
    fn agreement_is_told_too() {
        let mut heard = example();
        heard.default = heard.strict.clone();
        assert_eq!(told_of(&heard, told), "A default VM fares the same.\n");
    }
}
