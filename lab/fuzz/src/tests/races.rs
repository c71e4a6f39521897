// SPDX-License-Identifier: GPL-2.0

//! Every call against every one or two others, which another thread makes in between any two of its
//! accesses. WORKAROUND_2 stands for all registers: its offer depends on the VM, too.

use crate::act::Enable;
use crate::input::{Input, Meanwhile, Setup, Step, Value, Wish};
use crate::model::{Host, IDS, WORKAROUND_2};
use crate::{explain, trial};

/// No call has more accesses without a lock.
const ACCESSES: u32 = 8;

fn set(id: u64, value: u64) -> Wish {
    Wish::Set {
        vcpu: 0,
        id,
        value: Value::Plain(value),
        mapped: true,
    }
}

fn calls() -> Vec<Wish> {
    let id = IDS[WORKAROUND_2];
    vec![
        Wish::Get { id, mapped: true },
        set(id, 0),
        set(id, 3),
        // A register of a newer kernel, which promises nothing.
        set(0x6030_0000_0014_0004, 0),
        Wish::Ssbs(0),
        Wish::Ssbs(1),
        Wish::Run,
    ]
}

fn alone(wish: &Wish) -> Step {
    meanwhile(wish, 0, Vec::new())
}

fn meanwhile(wish: &Wish, after: u32, wishes: Vec<Wish>) -> Step {
    Step::Do {
        vm: 0,
        wish: wish.clone(),
        meanwhile: Meanwhile { after, wishes },
    }
}

/// What others do: one call, or two.
fn others() -> Vec<Vec<Wish>> {
    let calls = calls();
    let ones = calls.iter().map(|one| vec![one.clone()]);
    let twos = calls
        .iter()
        .flat_map(|one| calls.iter().map(|two| vec![one.clone(), two.clone()]));
    ones.chain(twos).collect()
}

/// `flags` are those of the capability.
fn all_races(flags: u64) {
    let others = others();
    let befores = [vec![], vec![Wish::Ssbs(0)], vec![set(IDS[WORKAROUND_2], 0)]];
    let setup = Setup {
        psci_0_2: true,
        protected: false,
        enables: vec![Enable::plain(flags)],
    };
    for v4 in 0..3 {
        let host = Host {
            states: [0, v4, 0],
            ssbs: 1,
            strict: false,
        };
        for before in &befores {
            for call in calls() {
                for (after, others) in
                    (0..ACCESSES).flat_map(|n| others.iter().map(move |o| (n, o)))
                {
                    let mut steps: Vec<Step> = before.iter().map(alone).collect();
                    steps.push(meanwhile(&call, after, others.clone()));
                    let input = Input {
                        hosts: [host.clone(), host.clone()],
                        setups: [setup.clone(), setup.clone()],
                        steps,
                    };
                    if trial(&input).is_err() {
                        panic!("{}", explain(input));
                    }
                }
            }
        }
    }
}

#[test]
fn calls_to_a_default_vm_that_race_happen_at_one_moment() {
    all_races(2);
}

#[test]
fn calls_to_a_strict_vm_that_race_happen_at_one_moment() {
    all_races(3);
}
