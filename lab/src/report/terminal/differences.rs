// SPDX-License-Identifier: GPL-2.0

//! Where a default VM is decided otherwise.

use std::collections::BTreeSet;

use super::text::{about, answer, by_targets, wrap, write};
use crate::model::answer::Refusal;
use crate::model::moves::{Matrix, Move};

pub fn told(matrix: &Matrix) -> String {
    if !matrix
        .moves()
        .any(|(dump, host)| matrix.differs(dump, host))
    {
        return "A default VM is decided the same.\n".to_owned();
    }

    let mut text = "Where a default VM is decided otherwise (saved on -> restored on)\n".to_owned();
    for (title, strict, default) in [
        ("It is accepted", Move::Refused, [Move::Ok, Move::OneWay]),
        ("It is refused", Move::Ok, [Move::Refused; 2]),
        (
            "It is accepted, and taken back",
            Move::OneWay,
            [Move::Ok; 2],
        ),
        (
            "It is accepted, but its guest is told something else than before",
            Move::Ok,
            [Move::Changed; 2],
        ),
    ] {
        let is_meant = |dump, host| {
            matrix.of_move(&matrix.strict, dump, host) == strict
                && default.contains(&matrix.of_move(&matrix.default, dump, host))
        };
        let groups = by_targets(matrix, is_meant);
        if !groups.is_empty() {
            text += &format!("\n{title}:\n");
        }
        for (sources, targets) in groups {
            text += &wrap(
                2,
                &format!("{} -> {}", sources.join(", "), targets.join(", ")),
            );
        }
    }
    text + &ways_back(matrix)
}

/// Moves after which only a default VM is refused on the way back. Those that are refused for the
/// same values are told together.
fn ways_back(matrix: &Matrix) -> String {
    let refusals = |dump, host| {
        let one_way = matrix.of_move(&matrix.default, dump, host) == Move::OneWay
            && matrix.of_move(&matrix.strict, dump, host) != Move::OneWay;
        let answer = matrix.default.back(dump, host).filter(|_| one_way)?;
        Some(&answer.refusals)
    };
    let all: BTreeSet<&Vec<Refusal>> = matrix
        .moves()
        .filter_map(|(dump, host)| refusals(dump, host))
        .collect();
    if all.is_empty() {
        return String::new();
    }

    let mut text = "\nIt is accepted, but refused on the way back:\n".to_owned();
    for group in all {
        for (home, away) in by_targets(matrix, |dump, host| refusals(dump, host) == Some(group)) {
            let line = format!("{} -> {} -> back", home.join(", "), away.join(", "));
            text += &wrap(2, &line);
        }
        for refusal in group {
            let write = write(refusal.id, refusal.value);
            let about = about(refusal).map_or(String::new(), |about| format!(" ({about})"));
            text += &wrap(6, &format!("{write}: {}{about}", answer(refusal)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn one_way_moves_are_told_with_their_refusals() {
        let text = told(&example());
        let expected = "\nIt is accepted, but refused on the way back:\n  bad -> good -> back\n      \
                        SMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer (offer 1)\n";
        assert!(text.ends_with(expected), "{text}");
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn every_difference_is_told() {
        let mut matrix = example();
        std::mem::swap(&mut matrix.strict, &mut matrix.default);
        assert!(told(&matrix).ends_with("\nIt is accepted, and taken back:\n  bad -> good\n"));

        let mut matrix = example();
        matrix.default.there[1][2] = matrix.default.there[0][0].clone();
        assert!(told(&matrix).contains("\nIt is accepted:\n  field -> bad\n"));
        matrix.default.there[0][2] = matrix.default.there[1][0].clone();
        assert!(told(&matrix).contains("\nIt is refused:\n  field -> good\n"));
    }

    #[test]
    fn agreement_is_told_too() {
        let mut matrix = example();
        matrix.default = matrix.strict.clone();
        assert_eq!(told(&matrix), "A default VM is decided the same.\n");
    }
}
