// SPDX-License-Identifier: GPL-2.0

//! What `lab run` found out: who accepted what.

use crate::dump::Dump;
use crate::hosts::Host;
use crate::mistakes::Mistake;
use crate::vmm::Answer;

pub struct Matrix {
    pub hosts: Vec<Host>,
    /// One per host, in the order of the hosts, and then those from the field.
    pub dumps: Vec<Dump>,
    pub mistakes: Vec<Mistake>,
    pub rust: Answers,
    pub c: Answers,
}

/// What one kernel said, on all hosts.
#[derive(Default)]
pub struct Answers {
    /// By host, then by dump.
    pub there: Vec<Vec<Answer>>,
    /// By host, then by mistake.
    pub mistakes: Vec<Vec<Answer>>,
    /// By the host where the VM was saved first, then by the host that it comes back from. None
    /// where it was never accepted.
    pub back: Vec<Vec<Option<Answer>>>,
}

/// What becomes of a VM that moves to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Accepted, and then taken back by the host that it came from, where that is in the lab.
    Ok,
    /// Accepted, but what was saved then is refused by the host that it came from.
    OneWay,
    Refused,
}

impl Move {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OneWay => "1w",
            Self::Refused => "NO",
        }
    }
}

impl Answers {
    /// What `host` says to a VM.
    pub fn there(&self, dump: usize, host: usize) -> &Answer {
        &self.there[host][dump]
    }

    /// What the VM's first host says when it comes back from `host`. None for a VM that has not
    /// been there, or is not from a host of the lab.
    pub fn back(&self, dump: usize, host: usize) -> Option<&Answer> {
        self.back.get(dump)?[host].as_ref()
    }

    pub fn of_move(&self, dump: usize, host: usize) -> Move {
        if !self.there(dump, host).accepted() {
            return Move::Refused;
        }
        match self.back(dump, host) {
            Some(answer) if !answer.accepted() => Move::OneWay,
            _ => Move::Ok,
        }
    }
}

impl Matrix {
    /// All moves: dump and host.
    pub fn moves(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.dumps.len()).flat_map(|dump| (0..self.hosts.len()).map(move |host| (dump, host)))
    }
}

/// A matrix that is easily told.
#[cfg(test)]
pub fn example() -> Matrix {
    use crate::project::{Handlers, Project};
    use crate::trace::Reason;
    use crate::vmm::{Refusal, Why};

    const WA1: u64 = 0x6030_0000_0014_0001;

    let host = |name: &str| Host {
        name: name.to_owned(),
        cpu: "max".to_owned(),
        cmdline: String::new(),
        memory: 512,
        cpus: 1,
        firmware: None,
        kernel: Handlers::Rust,
        offers: Vec::new(),
        ssbs: true,
        selftests: true,
    };
    let dump = |source: &str, value| Dump {
        source: source.to_owned(),
        registers: vec![(WA1, value)],
    };
    let accepted = Answer::default;
    let refused = |why| Answer {
        refusals: vec![Refusal {
            id: WA1,
            value: Some(2),
            errno: "EINVAL".to_owned(),
            why,
        }],
        saved: String::new(),
    };
    let told = refused(Some(Why {
        reason: Reason::ExceedsOffer,
        promise: 1,
        offer: 1,
    }));
    let untold = refused(None);

    let mut mistakes = crate::mistakes::load(&Project::here()).unwrap();
    mistakes.truncate(1);
    mistakes[0].reasons = [Reason::ExceedsOffer].into();
    Matrix {
        hosts: vec![host("good"), host("bad")],
        dumps: vec![dump("good", 2), dump("bad", 1), dump("field", 2)],
        mistakes,
        rust: Answers {
            there: vec![
                vec![accepted(); 3],
                vec![told.clone(), accepted(), told.clone()],
            ],
            mistakes: vec![vec![told.clone()], vec![told]],
            back: vec![
                vec![Some(accepted()), None],
                vec![Some(accepted()), Some(accepted())],
            ],
        },
        c: Answers {
            there: vec![
                vec![accepted(); 3],
                vec![untold.clone(), accepted(), untold.clone()],
            ],
            mistakes: vec![vec![untold.clone()], vec![accepted()]],
            back: vec![
                vec![Some(accepted()), None],
                vec![Some(untold), Some(accepted())],
            ],
        },
    }
}
