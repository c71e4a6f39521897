// SPDX-License-Identifier: GPL-2.0

//! Which races are run.

use super::{explore, Call, Race};
use crate::act::Act;
use crate::model::{Host, IDS, PSCI_VERSION, WORKAROUND_2};
use crate::words::NAMES;

const WORKAROUND_1: usize = 1;
const STD_BMAP: usize = 4;

/// Cases with something in common.
pub struct Group {
    pub name: String,
    pub cases: Vec<Case>,
}

pub struct Case {
    name: &'static str,
    races: Vec<Race>,
    /// Whether each execution must be as if the calls were made one after the other; or some must
    /// not be.
    in_order: bool,
}

/// What became of a case.
pub struct Outcome {
    /// With how many executions there were.
    pub name: String,
    pub executions: u64,
    pub failure: Option<String>,
}

impl Case {
    pub fn run(&self) -> Outcome {
        let (mut executions, mut unexplained, mut failure) = (0, None, None);
        for race in &self.races {
            let explored = explore(race);
            executions += explored.executions;
            unexplained = unexplained.or(explored.unexplained);
            failure = failure.or(explored.failure);
        }
        let none = || "each execution is as if the calls were made one after the other".to_owned();
        failure = failure.or(match (self.in_order, unexplained) {
            (true, unexplained) => unexplained,
            (false, Some(_)) => None,
            (false, None) => Some(none()),
        });
        // Threads that do not meet are run once.
        if executions <= self.races.len() as u64 {
            failure.get_or_insert("the threads did not race".to_owned());
        }
        Outcome {
            name: format!(
                "{}: {executions} executions of {} races",
                self.name,
                self.races.len()
            ),
            executions,
            failure,
        }
    }
}

/// All that there are.
pub fn groups() -> Vec<Group> {
    // A default VM keeps nothing that a workaround is set to: WORKAROUND_2 there depends on SSBS.
    let default = [PSCI_VERSION, WORKAROUND_2, STD_BMAP].map(|register| (false, register));
    let strict = [PSCI_VERSION, WORKAROUND_1, WORKAROUND_2, STD_BMAP];
    let strict = strict.map(|register| (true, register));
    let groups = [&default[..], &strict].concat().into_iter();
    let groups = groups.map(|(strict, register)| of_register(strict, register));
    groups.chain([of_two_registers()]).collect()
}

/// A host whose offer of WORKAROUND_2 depends on SSBS.
fn host() -> Host {
    Host {
        states: [0, 1, 0],
        ssbs: 1,
        strict: false,
    }
}

fn get(register: usize) -> Call {
    Call::Act(Act::Get {
        id: IDS[register],
        mapped: true,
    })
}

fn set(register: usize, value: u64) -> Call {
    Call::Act(Act::Set {
        vcpu: 1,
        id: IDS[register],
        value,
        mapped: true,
    })
}

/// Two values that a host may offer, the lower one first.
fn values(register: usize) -> [u64; 2] {
    match register {
        PSCI_VERSION => [0x1_0000, 0x1_0002],
        WORKAROUND_2 => [0, 3],
        _ => [0, 1],
    }
}

/// Each call, most with a look at what has become of it, against all sequences of others.
fn of_register(strict: bool, register: usize) -> Group {
    let get = get(register);
    let run = Call::Act(Act::Run);
    let sets: Vec<Call> = values(register).map(|value| set(register, value)).to_vec();
    let mut writes = Vec::new();
    if register == WORKAROUND_2 {
        writes.extend([0, 1].map(|ssbs| Call::Act(Act::Ssbs(ssbs))));
    }
    let all = [&[get.clone(), run.clone()], &sets[..], &writes].concat();

    let against = |name, mine: Vec<Vec<Call>>, others: usize| {
        let others = sequences(&all, others);
        let races = mine.iter().flat_map(|mine| {
            others.iter().map(|theirs| Race {
                host: host(),
                strict,
                threads: [mine.clone(), theirs.clone()],
            })
        });
        Case {
            name,
            races: races.collect(),
            in_order: true,
        }
    };
    let and_get = |calls: Vec<Call>| {
        let calls = calls.into_iter();
        calls.map(|call| vec![call, get.clone()]).collect()
    };
    let asked = vec![run, Call::Ask(register)];
    let mut cases = vec![
        against("get", vec![vec![get.clone()]], 3),
        against("two gets", and_get(vec![get.clone()]), 2),
        against("set", and_get(sets), 2),
        against("first run and discovery", vec![asked], 2),
    ];
    if !writes.is_empty() {
        cases.push(against("write of ID_AA64PFR1_EL1", and_get(writes), 2));
    }
    let vm = if strict { "strict" } else { "default" };
    Group {
        name: format!("{vm} VM, {}", NAMES[register]),
        cases,
    }
}

/// All sequences of so many of the calls.
fn sequences(calls: &[Call], length: usize) -> Vec<Vec<Call>> {
    (0..length).fold(vec![Vec::new()], |shorter, _| {
        let longer = shorter.iter().flat_map(|sequence| {
            calls.iter().map(move |call| {
                let mut longer = sequence.clone();
                longer.push(call.clone());
                longer
            })
        });
        longer.collect()
    })
}

/// Gets of two registers are not of one moment, because they take no lock. That this is seen also
/// shows that stores are seen late.
fn of_two_registers() -> Group {
    let [one, two] = [STD_BMAP, STD_BMAP + 1];
    let race = Race {
        host: host(),
        strict: true,
        threads: [vec![get(two), get(one)], vec![set(one, 0), set(two, 0)]],
    };
    Group {
        name: "strict VM, two registers".to_owned(),
        cases: vec![Case {
            name: "gets are not of one moment",
            races: vec![race],
            in_order: false,
        }],
    }
}
