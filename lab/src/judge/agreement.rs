// SPDX-License-Identifier: GPL-2.0

//! Equal by default: a default VM is answered as by the C handlers, in all that it is told.

use crate::model::answer::Answer;
use crate::model::moves::{Home, Matrix};
use crate::model::registers::{long, name};

/// Each answer to a default VM that is another than that of the C handlers.
pub fn agreement(matrix: &Matrix) -> Vec<String> {
    let mut broken = Vec::new();
    let (default, c) = (&matrix.default, &matrix.c);
    let mut compare = |what: String, default: &Answer, c: &Answer| {
        if let Some(difference) = difference(default, c) {
            broken.push(format!("{what}, a default VM: {difference}"));
        }
    };
    for (index, host) in matrix.hosts.iter().enumerate() {
        let host = &host.name;
        let homes = [default, c].map(|answers| fresh(&answers.home[index]));
        compare(format!("fresh on {host}"), &homes[0], &homes[1]);
        for (place, mistake) in matrix.mistakes.iter().enumerate() {
            let [default, c] = [default, c].map(|answers| &answers.mistakes[index][place]);
            compare(format!("{} on {host}", mistake.name), default, c);
        }
    }
    for (dump, host) in matrix.moves() {
        let [from, to] = [&matrix.dumps[dump].source, &matrix.hosts[host].name];
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
    let refusals = answer.refusals.iter().map(|refusal| {
        let value = refusal.value.map(|value| long(refusal.id, value));
        let value = value.unwrap_or("(lost)".to_owned());
        let name = name(refusal.id);
        format!("{name} = {value} is refused with {}", refusal.errno)
    });
    let saved = answer.saved.iter();
    let saved = saved.map(|(id, value)| format!("{} = {} is saved", name(*id), long(*id, *value)));
    let told = answer.told.iter().flat_map(|told| told.lines());
    refusals.chain(saved).chain(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    fn complaint(spoil: impl FnOnce(&mut Matrix)) -> String {
        let mut matrix = example();
        assert_eq!(agreement(&matrix), [""; 0]);
        spoil(&mut matrix);
        let broken = agreement(&matrix);
        assert_eq!(broken.len(), 1, "{broken:?}");
        broken[0].clone()
    }

    #[test]
    fn every_kind_of_answer_must_be_the_same() {
        let wa1 = "SMCCC_ARCH_WORKAROUND_1";
        let text = complaint(|matrix| matrix.default.home[1].dump.registers[0].1 = 2);
        let expected = format!(
            "fresh on bad, a default VM: {wa1} = 2 (not required) is saved; \
             with C: {wa1} = 1 (available) is saved"
        );
        assert_eq!(text, expected);

        let text = complaint(|matrix| matrix.default.mistakes[1][0].saved.clear());
        let expected = "from-newer-kernel on bad, a default VM: ";
        assert!(text.starts_with(expected), "{text}");

        let text = complaint(|matrix| {
            matrix.default.there[1][0].refusals[0].errno = "EBUSY".to_owned();
        });
        let expected = format!(
            "moved from good to bad, a default VM: {wa1} = 2 (not required) is refused with \
             EBUSY; with C: {wa1} = 2 (not required) is refused with EINVAL"
        );
        assert_eq!(text, expected);

        let text = complaint(|matrix| matrix.default.back[0][0].as_mut().unwrap().told = None);
        let expected = "back on good from good, a default VM: nothing; with C: PSCI_VERSION: the";
        assert!(text.starts_with(expected), "{text}");
    }

    #[test]
    fn the_order_counts() {
        let text = complaint(|matrix| {
            for answers in [&mut matrix.default, &mut matrix.c] {
                answers.there[0][0].saved.push((7, 7));
            }
            matrix.default.there[0][0].saved.reverse();
        });
        assert!(text.contains("with C: SMCCC_ARCH_WORKAROUND_1"), "{text}");
    }
}
