// SPDX-License-Identifier: GPL-2.0

//! What was refused, and why.

use std::collections::BTreeSet;

use super::text::{about, answer, by_targets, wrap, write};
use crate::model::answer::Refusal;
use crate::model::moves::Matrix;

/// Each refused value once, with the dumps that hold it and the hosts that refuse it.
pub fn told(matrix: &Matrix) -> String {
    let title =
        |refusal: &Refusal| format!("{}: {}", write(refusal.id, refusal.value), answer(refusal));
    let all: BTreeSet<&Refusal> = matrix
        .strict
        .there
        .iter()
        .flatten()
        .flat_map(|answer| &answer.refusals)
        .collect();
    if all.is_empty() {
        return "No refusals.\n".to_owned();
    }

    let mut text =
        "Refusals (register = value: errno, reason; saved on -> refused by)\n".to_owned();
    let mut last = String::new();
    for refusal in all {
        let title = title(refusal);
        if title != last {
            text += &format!("\n{title}\n");
            last = title;
        }
        let about = about(refusal).map_or(String::new(), |about| format!("{about}: "));
        let is_meant = |dump, host| matrix.strict.there(dump, host).refusals.contains(refusal);
        for (sources, targets) in by_targets(matrix, is_meant) {
            let line = format!("{about}{} -> {}", sources.join(", "), targets.join(", "));
            text += &wrap(2, &line);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn the_same_refusal_is_told_once() {
        let expected =
            "\nSMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer\n  \
                        offer 1: good, field -> bad\n";
        assert!(told(&example()).ends_with(expected));
    }

    #[test]
    fn no_refusals_are_told_too() {
        let mut matrix = example();
        let accepted = matrix.strict.there[0].clone();
        matrix.strict.there[1] = accepted;
        assert_eq!(told(&matrix), "No refusals.\n");
    }
}
