// SPDX-License-Identifier: GPL-2.0

//! What `lab run` found out: who accepted what.

use crate::model::answer::Answer;
use crate::model::discovery::{Contradiction, Told};
use crate::model::dump::Dump;
use crate::model::fleet::HostOffers;
use crate::model::hosts::Host;
use crate::model::mistakes::Mistake;

pub struct Matrix {
    pub hosts: Vec<Host>,
    /// One per host.
    pub offers: Vec<HostOffers>,
    /// One per host, in the order of the hosts, and then those from the field.
    pub dumps: Vec<Dump>,
    pub mistakes: Vec<Mistake>,
    /// With each host's own kernel, strict VMs.
    pub strict: Answers,
    /// With each host's own kernel, default VMs.
    pub default: Answers,
    /// With the C handlers on all hosts.
    pub c: Answers,
}

/// What was said to one kind of VM, on all hosts.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    /// By host.
    pub home: Vec<Home>,
    /// By host, then by dump.
    pub there: Vec<Vec<Answer>>,
    /// By host, then by mistake.
    pub mistakes: Vec<Vec<Answer>>,
    /// By the host where the VM was saved first, then by the host that it comes back from. None
    /// where it was never accepted.
    pub back: Vec<Vec<Option<Answer>>>,
}

/// A fresh VM of a host's own, before any move.
#[derive(Debug, Clone)]
pub struct Home {
    pub dump: Dump,
    pub told: Told,
}

/// What becomes of a VM that moves to another host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// Accepted, and then taken back by the host that it came from, where that is in the lab.
    Ok,
    /// Accepted, but the VM's guest is told something else than its registers say.
    Changed,
    /// Accepted, but what was saved then is refused by the host that it came from.
    OneWay,
    Refused,
}

impl Move {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Changed => "ch",
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
}

impl Matrix {
    pub fn of_move(&self, answers: &Answers, dump: usize, host: usize) -> Move {
        if !answers.there(dump, host).accepted() {
            return Move::Refused;
        }
        match answers.back(dump, host) {
            Some(answer) if !answer.accepted() => Move::OneWay,
            _ if self.contradictions(answers, dump, host).is_empty() => Move::Ok,
            _ => Move::Changed,
        }
    }

    /// What the guest of a VM is told that is not what the VM's registers say: on `host`, and when
    /// it is back.
    pub fn contradictions(
        &self,
        answers: &Answers,
        dump: usize,
        host: usize,
    ) -> Vec<Contradiction> {
        let there = answers.there(dump, host);
        let mut found = there.contradictions(&self.dumps[dump].registers);
        if let Some(back) = answers.back(dump, host) {
            found.extend(back.contradictions(&there.saved));
        }
        found
    }

    /// Whether a VM that moves fares otherwise as a default one than as a strict one.
    pub fn differs(&self, dump: usize, host: usize) -> bool {
        self.of_move(&self.strict, dump, host) != self.of_move(&self.default, dump, host)
    }

    /// All moves: dump and host.
    pub fn moves(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.dumps.len()).flat_map(|dump| (0..self.hosts.len()).map(move |host| (dump, host)))
    }
}
