// SPDX-License-Identifier: GPL-2.0

//! The mistakes, each with what is said about it.

use std::collections::{BTreeMap, BTreeSet};

use super::text::{about, answer, wrap};
use crate::model::heard::{Answers, Heard};
use crate::model::matrix::Refusal;

pub fn told(heard: &Heard) -> String {
    let mut text = String::new();
    for (index, mistake) in heard.mistakes.iter().enumerate() {
        text += &format!("\n{}:\n", mistake.name);
        text += &wrap(2, &format!("{}.", mistake.story));
        for line in lines(heard, index) {
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
fn lines(heard: &Heard, mistake: usize) -> Vec<String> {
    let refused = |answers: &Answers, host: usize, write: &str| -> Option<Refusal> {
        let mut refusals = answers.mistakes[host][mistake].refusals.iter();
        refusals.find(|it| it.write() == write).cloned()
    };
    let answers = [&heard.strict, &heard.default].into_iter();
    let writes: BTreeSet<_> = answers
        .flat_map(|answers| &answers.mistakes)
        .flat_map(|by_mistake| &by_mistake[mistake].refusals)
        .map(|refusal| (refusal.id, refusal.write()))
        .collect();

    let mut lines = Vec::new();
    for (_, write) in writes {
        let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (index, host) in heard.hosts.iter().enumerate() {
            let strict = refused(&heard.strict, index, &write);
            let default = refused(&heard.default, index, &write);
            let said = said(strict.as_ref(), default.as_ref());
            groups.entry(said).or_default().push(&host.name);
        }
        for (said, hosts) in groups {
            let all = hosts.len() == heard.hosts.len();
            let hosts = match all {
                true => String::new(),
                false => format!(" on {}", hosts.join(", ")),
            };
            lines.push(format!("{write}: {said}{hosts}"));
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
        let heard = example();
        assert_eq!(
            lines(&heard, 0),
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
        let heard = example();
        let text = told(&heard);
        let mistake = &heard.mistakes[0];
        assert!(text.contains(&format!("\n{}:\n  {}.\n", mistake.name, mistake.story)));
    }
}
