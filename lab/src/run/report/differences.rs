// SPDX-License-Identifier: GPL-2.0

//! Where the C kernel decides otherwise.

use std::collections::BTreeSet;

use super::text::{by_targets, wrap, write};
use crate::run::matrix::{Matrix, Move};
use crate::vmm::Refusal;

pub fn told(matrix: &Matrix) -> String {
    let differs = |dump, host| {
        matrix.of_move(&matrix.rust, dump, host) != matrix.of_move(&matrix.c, dump, host)
    };
    if !matrix.moves().any(|(dump, host)| differs(dump, host)) {
        return "The C kernel decides the same.\n".to_owned();
    }

    let mut text = "Where the C kernel decides otherwise (saved on -> restored on)\n".to_owned();
    let (rust, c) = (&matrix.rust, &matrix.c);
    for (title, ours, theirs) in [
        ("It accepts", Move::Refused, [Move::Ok, Move::OneWay]),
        ("It refuses", Move::Ok, [Move::Refused; 2]),
        ("It accepts, and takes back", Move::OneWay, [Move::Ok; 2]),
        (
            "It accepts, but tells the guest something else than before",
            Move::Ok,
            [Move::Changed; 2],
        ),
    ] {
        let is_meant = |dump, host| {
            matrix.of_move(rust, dump, host) == ours
                && theirs.contains(&matrix.of_move(c, dump, host))
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

/// Moves after which only the C kernel refuses the VM on the way back. Those that are refused for
/// the same values are told together.
fn ways_back(matrix: &Matrix) -> String {
    let refusals = |dump, host| {
        let one_way = matrix.of_move(&matrix.c, dump, host) == Move::OneWay
            && matrix.of_move(&matrix.rust, dump, host) != Move::OneWay;
        let answer = matrix.c.back(dump, host).filter(|_| one_way)?;
        Some(&answer.refusals)
    };
    let all: BTreeSet<&Vec<Refusal>> = matrix
        .moves()
        .filter_map(|(dump, host)| refusals(dump, host))
        .collect();
    if all.is_empty() {
        return String::new();
    }

    let mut text = "\nIt accepts, but refuses on the way back:\n".to_owned();
    for group in all {
        for (home, away) in by_targets(matrix, |dump, host| refusals(dump, host) == Some(group)) {
            let line = format!("{} -> {} -> back", home.join(", "), away.join(", "));
            text += &wrap(2, &line);
        }
        for refusal in group {
            let line = format!("{}: {}", write(refusal.id, refusal.value), refusal.errno);
            text += &wrap(6, &line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::example::example;

    #[test]
    fn one_way_moves_are_told_with_their_refusals() {
        let text = told(&example());
        let expected = "\nIt accepts, but refuses on the way back:\n  bad -> good -> back\n      \
                        SMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL\n";
        assert!(text.ends_with(expected), "{text}");
        assert_eq!(text.lines().count(), 5);
    }

    #[test]
    fn every_difference_is_told() {
        let mut matrix = example();
        std::mem::swap(&mut matrix.rust, &mut matrix.c);
        assert!(told(&matrix).ends_with("\nIt accepts, and takes back:\n  bad -> good\n"));

        let mut matrix = example();
        matrix.c.there[1][2] = matrix.c.there[0][0].clone();
        assert!(told(&matrix).contains("\nIt accepts:\n  field -> bad\n"));
        matrix.c.there[0][2] = matrix.c.there[1][0].clone();
        assert!(told(&matrix).contains("\nIt refuses:\n  field -> good\n"));
    }

    #[test]
    fn agreement_is_told_too() {
        let mut matrix = example();
        matrix.c = matrix.rust.clone();
        assert_eq!(told(&matrix), "The C kernel decides the same.\n");
    }
}
