// SPDX-License-Identifier: GPL-2.0

//! The mistakes, each with what is said about it.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{about, answer, wrap, write};
use crate::model::answer::Refusal;
use crate::model::moves::{Answers, Matrix};

pub fn told(matrix: &Matrix) -> String {
    let mut text = String::new();
    for (index, mistake) in matrix.mistakes.iter().enumerate() {
        text += &format!("\n{}:\n", mistake.name);
        text += &wrap(2, &format!("{}.", mistake.story));
        for line in lines(matrix, index) {
            text += &wrap(4, &line);
        }
    }
    if text.is_empty() {
        return text;
    }
    let default = "default: the answer to a default VM, where it differs";
    format!("What a VMM can do wrong, done on every host ({default})\n{text}")
}

/// One line for each refused write, or more where hosts do not agree.
fn lines(matrix: &Matrix, mistake: usize) -> Vec<String> {
    let refused = |answers: &Answers, host: usize, write| -> Option<Refusal> {
        let mut refusals = answers.mistakes[host][mistake].refusals.iter();
        refusals.find(|it| (it.id, it.value) == write).cloned()
    };
    let answers = [&matrix.strict, &matrix.default].into_iter();
    let writes: BTreeSet<_> = answers
        .flat_map(|answers| &answers.mistakes)
        .flat_map(|by_mistake| &by_mistake[mistake].refusals)
        .map(|refusal| (refusal.id, refusal.value))
        .collect();

    let mut lines = Vec::new();
    for (id, value) in writes {
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (index, host) in matrix.hosts.iter().enumerate() {
            let strict = refused(&matrix.strict, index, (id, value));
            let default = refused(&matrix.default, index, (id, value));
            let said = said(strict.as_ref(), default.as_ref());
            groups.entry(said).or_default().push(&host.name);
        }
        for (said, hosts) in groups {
            let all = hosts.len() == matrix.hosts.len();
            let hosts = match all {
                true => String::new(),
                false => format!(" on {}", hosts.join(", ")),
            };
            lines.push(format!("{}: {said}{hosts}", write(id, value)));
        }
    }
    lines
}

/// What is said about a write to a strict VM, and to a default VM if that is something else.
fn said(strict: Option<&Refusal>, default: Option<&Refusal>) -> String {
    let mut said = strict.map_or("accepted".to_owned(), answer);
    if let Some(about) = strict.and_then(about) {
        said += &format!(" ({about})");
    }
    let errno = |refusal: Option<&Refusal>| refusal.map(|it| it.errno.clone());
    if errno(strict) != errno(default) {
        let default = errno(default).unwrap_or("accepted".to_owned());
        said += &format!("; default: {default}");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn hosts_that_do_not_agree_are_named() {
        let matrix = example();
        assert_eq!(
            lines(&matrix, 0),
            [
                "SMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer (offer 1) \
                 on good",
                "SMCCC_ARCH_WORKAROUND_1 = 2 (not required): EINVAL, exceeds the offer (offer 1); \
                 default: accepted on bad",
            ]
        );
    }

    #[test]
    fn each_mistake_has_its_story() {
        let matrix = example();
        let text = told(&matrix);
        let mistake = &matrix.mistakes[0];
        assert!(text.contains(&format!("\n{}:\n  {}.\n", mistake.name, mistake.story)));
    }
}
