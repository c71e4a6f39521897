// SPDX-License-Identifier: GPL-2.0

//! Equal by default: a default VM is answered as by the C handlers, in all that it is told.

use crate::model::answer::Answer;
use crate::model::heard::{Heard, Home};
use crate::model::registers::{long, name};

/// Each answer to a default VM that is another than that of the C handlers.
pub fn agreement(heard: &Heard) -> Vec<String> {
    let mut broken = Vec::new();
    let (default, c) = (&heard.default, &heard.c);
    let mut compare = |what: String, default: &Answer, c: &Answer| {
        if let Some(difference) = difference(default, c) {
            broken.push(format!("{what}, a default VM: {difference}"));
        }
    };
    for (index, host) in heard.hosts.iter().enumerate() {
        let host = &host.name;
        let homes = [default, c].map(|answers| fresh(&answers.home[index]));
        compare(format!("fresh on {host}"), &homes[0], &homes[1]);
        for (place, mistake) in heard.mistakes.iter().enumerate() {
            let [default, c] = [default, c].map(|answers| &answers.mistakes[index][place]);
            compare(format!("{} on {host}", mistake.name), default, c);
        }
    }
    for (dump, host) in heard.moves() {
        let [from, to] = [&heard.dumps[dump].source, &heard.hosts[host].name];
        let there = [default, c].map(|answers| answers.there(dump, host));
        compare(format!("moved from {from} to {to}"), there[0], there[1]);
        // One that did not get there is told above.
        if let [Some(default), Some(c)] = [default, c].map(|answers| answers.back(dump, host)) {
            compare(format!("back on {from} from {to}"), default, c);
        }
    }
    broken
}

fn fresh(home: &Home) -> Answer {
    Answer {
        refusals: Vec::new(),
        saved: home.dump.registers.clone(),
        told: Some(home.told.clone()),
    }
}

/// The first that is not the same: a refusal, a register that was saved, or an answer to the guest.
fn difference(default: &Answer, c: &Answer) -> Option<String> {
    let (default, c) = (lines(default), lines(c));
    let longer = default.len().max(c.len());
    let index = (0..longer).find(|index| default.get(*index) != c.get(*index))?;
    let line = |lines: &[String]| lines.get(index).map_or("nothing".to_owned(), String::clone);
    Some(format!("{}; with C: {}", line(&default), line(&c)))
}

/// An answer without the reasons, which the C handlers do not tell.
fn lines(answer: &Answer) -> Vec<String> {
    let refusals = answer
        .refusals
        .iter()
        .map(|refusal| format!("{} is refused with {}", refusal.write(), refusal.errno));
    let saved = answer.saved.iter();
    let saved = saved.map(|(id, value)| format!("{} = {} is saved", name(*id), long(*id, *value)));
    let told = answer.told.iter().flat_map(|told| told.lines());
    refusals.chain(saved).chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    fn complaint(spoil: impl FnOnce(&mut Heard)) -> String {
        let mut heard = example();
        assert_eq!(agreement(&heard), [""; 0]);
        spoil(&mut heard);
        let broken = agreement(&heard);
        assert_eq!(broken.len(), 1, "{broken:?}");
        broken[0].clone()
    }

    #[test]
    fn every_kind_of_answer_must_be_the_same() {
        let wa1 = "SMCCC_ARCH_WORKAROUND_1";
        let text = complaint(|heard| heard.default.home[1].dump.registers[0].1 = 2);
        let expected = format!(
            "fresh on bad, a default VM: {wa1} = 2 (not required) is saved; \
             with C: {wa1} = 1 (available) is saved"
        );
        assert_eq!(text, expected);

        let text = complaint(|heard| heard.default.mistakes[1][0].saved.clear());
        let expected = "from-newer-kernel on bad, a default VM: ";
        assert!(text.starts_with(expected), "{text}");

        let text = complaint(|heard| {
            heard.default.there[1][0].refusals[0].errno = "EBUSY".to_owned();
        });
        let expected = format!(
            "moved from good to bad, a default VM: {wa1} = 2 (not required) is refused with \
             EBUSY; with C: {wa1} = 2 (not required) is refused with EINVAL"
        );
        assert_eq!(text, expected);

        let text = complaint(|heard| heard.default.back[0][0].as_mut().unwrap().told = None);
        let expected = "back on good from good, a default VM: nothing; with C: PSCI_VERSION: the";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn the_order_counts() {
        let text = complaint(|heard| {
            for answers in [&mut heard.default, &mut heard.c] {
                answers.there[0][0].saved.push((7, 7));
            }
            heard.default.there[0][0].saved.reverse();
        });
        assert!(text.contains("with C: SMCCC_ARCH_WORKAROUND_1"), "{text}");
    }
}
