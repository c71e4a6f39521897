// SPDX-License-Identifier: GPL-2.0

//! A matrix that is easily told.

use planner::{HostOffers, Registers};

use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::model::answer::Answer;
use crate::model::discovery::{self, Told};
use crate::model::dump::Dump;
use crate::model::heard::{Answers, Heard, Home};
use crate::model::hosts::Host;
use crate::model::matrix::{Refusal, Why};
use crate::model::mistakes::{self, Mistake};
use crate::model::moves::Moves;
use crate::model::reason::Reason;
use crate::model::registers::Id;

const WA1: Id = 0x6030_0000_0014_0001;

/// Two hosts, of which one offers less, and a dump from the field. A default VM that came to the
/// better one is told what that one offers, and so the VM cannot go back.
pub fn example() -> Heard {
    let told = refused(Some(Why {
        reason: Reason::ExceedsOffer,
        promise: 1,
        offer: 1,
    }));
    let untold = refused(None);
    let there = |moved: &Answer, refused: &Answer| {
        vec![
            vec![accepted(2), moved.clone(), accepted(2)],
            vec![refused.clone(), accepted(1), refused.clone()],
        ]
    };
    let back = |back: Answer| {
        vec![
            vec![Some(accepted(2)), None],
            vec![Some(back), Some(accepted(1))],
        ]
    };
    let by_default = |refused: Answer| Answers {
        home: vec![home("good", 2), home("bad", 1)],
        there: there(&accepted(2), &refused),
        mistakes: vec![vec![refused.clone()], vec![accepted(1)]],
        back: back(refused),
    };
    Heard {
        hosts: vec![host("good"), host("bad")],
        offers: vec![offers("good", 2), offers("bad", 1)],
        dumps: vec![dump("good", 2), dump("bad", 1), dump("field", 2)],
        mistakes: vec![mistake()],
        strict: Answers {
            home: vec![home("good", 2), home("bad", 1)],
            there: there(&accepted(1), &told),
            mistakes: vec![vec![told.clone()], vec![told.clone()]],
            back: back(accepted(1)),
        },
        default: by_default(told),
        c: by_default(untold),
    }
}

/// What a report says of the moves.
pub fn told_of<T>(heard: &Heard, told: impl FnOnce(&Moves) -> T) -> T {
    let matrix = heard.matrix().unwrap();
    told(&Moves::new(&matrix).unwrap())
}

fn host(name: &str) -> Host {
    Host {
        name: name.to_owned(),
        cpu: "max".to_owned(),
        cmdline: String::new(),
        memory: 512,
        cpus: 1,
        firmware: None,
        qemu: None,
        el2: true,
        threads: false,
        fleet: true,
        kernel: Handlers::Rust.into(),
        offers: Vec::new(),
        ssbs: true,
        selftests: true,
    }
}

fn offers(name: &str, value: u64) -> HostOffers {
    let registers = || Registers::new([(WA1, value)]).unwrap();
    let about = "max".to_owned();
    HostOffers::new(name, about, Handlers::Rust, registers(), registers()).unwrap()
}

fn dump(source: &str, value: u64) -> Dump {
    Dump {
        source: source.to_owned(),
        registers: vec![(WA1, value)],
    }
}

fn home(source: &str, value: u64) -> Home {
    Home {
        dump: dump(source, value),
        told: told(value),
    }
}

fn mistake() -> Mistake {
    let mut mistakes = mistakes::load(&Project::here()).unwrap();
    mistakes[0].reasons = [Reason::ExceedsOffer].into();
    mistakes.remove(0)
}

/// A VM that has the value, and whose guest is told so.
fn accepted(value: u64) -> Answer {
    Answer {
        refusals: Vec::new(),
        saved: vec![(WA1, value)],
        told: Some(told(value)),
    }
}

fn refused(why: Option<Why>) -> Answer {
    Answer {
        refusals: vec![Refusal {
            id: WA1,
            value: Some(2),
            errno: "EINVAL".to_owned(),
            why,
        }],
        ..Answer::default()
    }
}

/// What follows from a value of WA1; what is told of others does not matter here.
fn told(value: u64) -> Told {
    let questions = discovery::questions();
    let lines: Vec<String> = questions
        .lines()
        .map(|call| format!("told {call} {:#x} 0x0 0x0 0x0", value.wrapping_sub(1)))
        .collect();
    Told::parse(lines.iter().map(String::as_str)).unwrap()
}
