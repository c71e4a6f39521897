// SPDX-License-Identifier: GPL-2.0

//! Makes a failed trial as short as it can be.

use crate::input::{Input, Meanwhile, Step, Value, Wish};
use crate::trial::trial;

/// The failure of the shortest trial found that fails as this one does, in words.
pub fn explain(mut input: Input) -> String {
    let mut failure = match trial(&input) {
        Err(failure) => failure,
        Ok(_) => return "It has failed, and does not any more.".to_owned(),
    };
    loop {
        let shorter = candidates(&input).find_map(|candidate| {
            let failure = trial(&candidate).err()?;
            Some((candidate, failure))
        });
        match shorter {
            Some((candidate, why)) => (input, failure) = (candidate, why),
            None => return failure.to_string(),
        }
    }
}

/// All trials that are simpler by one thing. Each way leads to an end.
fn candidates(input: &Input) -> impl Iterator<Item = Input> + '_ {
    let with = |n: usize, step: Option<Step>| {
        let mut shorter = input.clone();
        match step {
            Some(step) => shorter.steps[n] = step,
            None => drop(shorter.steps.remove(n)),
        }
        shorter
    };
    let removed = (0..input.steps.len()).rev().map(move |n| with(n, None));
    let simpler = input.steps.iter().enumerate().flat_map(move |(n, step)| {
        let simpler = simpler(step).into_iter();
        simpler.map(move |step| with(n, Some(step)))
    });
    let with = |n: usize, enable| {
        let mut shorter = input.clone();
        shorter.setups[n].enables.remove(enable);
        shorter
    };
    let plainer = input.setups.iter().enumerate().flat_map(move |(n, setup)| {
        let enables = 0..setup.enables.len();
        enables.map(move |enable| with(n, enable))
    });
    removed.chain(simpler).chain(plainer)
}

fn simpler(step: &Step) -> Vec<Step> {
    let Step::Do {
        vm,
        wish,
        meanwhile,
    } = step
    else {
        return Vec::new();
    };
    let mut steps = Vec::new();
    for n in 0..meanwhile.wishes.len() {
        let mut fewer = meanwhile.clone();
        fewer.wishes.remove(n);
        steps.push((wish.clone(), fewer));
    }
    // What others do, done first and last.
    if let [other] = &meanwhile.wishes[..] {
        steps.push((other.clone(), Meanwhile::default()));
    }
    if let Wish::Set {
        vcpu,
        id,
        value: Value::Plain(value),
        mapped,
    } = *wish
    {
        // Bits are cleared from the top.
        let bits = (0..64).rev().filter(|bit| value & 1 << bit != 0);
        steps.extend(bits.map(|bit| {
            let value = Value::Plain(value & !(1 << bit));
            let wish = Wish::Set {
                vcpu,
                id,
                value,
                mapped,
            };
            (wish, meanwhile.clone())
        }));
        if vcpu != 0 {
            let wish = Wish::Set {
                vcpu: 0,
                id,
                value: Value::Plain(value),
                mapped,
            };
            steps.push((wish, meanwhile.clone()));
        }
    }
    let vm = *vm;
    let step = |(wish, meanwhile)| Step::Do {
        vm,
        wish,
        meanwhile,
    };
    steps.into_iter().map(step).collect()
}
