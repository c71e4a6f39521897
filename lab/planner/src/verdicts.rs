// SPDX-License-Identifier: GPL-2.0

//! Where a saved VM can move to. Each verdict is the policy's own.

use std::slice;

use fixedbitset::FixedBitSet;
use fw_regs_policy::{promises_nothing, Reason, Register};

use crate::offers::{exceeds, place};
use crate::{Dumps, Hosts, Offered};

/// How to ask.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// VMs ignore registers that the host does not know and that promise nothing.
    pub null_promises: bool,
    /// How many of the different offers to tell that led to a refusal: the most common ones.
    pub most: usize,
}

/// What all hosts answer to one VM.
pub struct Verdicts<'a> {
    /// The groups of hosts that accept it, by index.
    pub accepted: FixedBitSet,
    /// How many hosts that are.
    pub hosts: usize,
    pub refusals: Vec<Refused<'a>>,
}

/// A register that some hosts refuse.
pub struct Refused<'a> {
    pub id: u64,
    pub value: u64,
    pub reason: Reason,
    /// How many hosts refuse it.
    pub hosts: usize,
    /// How many different offers those have.
    pub different: usize,
    /// These offers, most hosts first; no more than were asked for.
    pub offers: Vec<&'a Offered>,
}

impl<'a> Verdicts<'a> {
    /// Asks all hosts.
    pub fn new(hosts: &'a Hosts, dump: &Dumps, question: Question) -> Self {
        let mut answers = Survey {
            hosts,
            question,
            refused: vec![false; hosts.groups().len()],
            refusals: Vec::new(),
        };
        for (id, value) in dump.registers.iter() {
            match place(id) {
                Some(place) => {
                    let register = Register::ALL[place];
                    let parsed = register.parse(value, dump.kind.psci_0_2);
                    let wanted = parsed.map(|wanted| (register, wanted));
                    answers.write(id, value, wanted, &hosts.offered(dump.kind)[place]);
                }
                None => {
                    let nobody_knows = Err(Reason::UnknownRegister);
                    answers.write(id, value, nobody_knows, slice::from_ref(hosts.everyone()));
                }
            }
        }

        let mut accepted = FixedBitSet::with_capacity(answers.refused.len());
        let groups = answers.refused.iter().enumerate();
        accepted.extend(
            groups
                .filter(|(_, refused)| !**refused)
                .map(|(group, _)| group),
        );
        let count = |group: usize| hosts.groups()[group].len();
        Self {
            hosts: accepted.ones().map(count).sum(),
            accepted,
            refusals: answers.refusals,
        }
    }
}

struct Survey<'a> {
    hosts: &'a Hosts,
    question: Question,
    /// By group of hosts.
    refused: Vec<bool>,
    refusals: Vec<Refused<'a>>,
}

impl<'a> Survey<'a> {
    /// Has the policy judge a write to a fresh VM on all hosts, by what they offer.
    fn write(
        &mut self,
        id: u64,
        value: u64,
        wanted: Result<(Register, u64), Reason>,
        offers: &'a [Offered],
    ) {
        let ignored = self.question.null_promises && promises_nothing(id, value);
        let before = self.refusals.len();
        for offered in offers {
            let verdict = match (offered.offer, wanted) {
                (None, _) => (!ignored).then_some(Reason::UnknownRegister),
                (Some(_), Err(reason)) => Some(reason),
                (Some(offer), Ok((register, wanted))) => exceeds(register, wanted, offer),
            };
            let Some(reason) = verdict else { continue };
            let groups = self.hosts.members(offered);
            groups.for_each(|group| self.refused[group] = true);

            let known = self.refusals[before..].iter();
            let place = match known
                .map(|refusal| refusal.reason)
                .position(|known| known == reason)
            {
                Some(place) => before + place,
                None => {
                    self.refusals.push(Refused {
                        id,
                        value,
                        reason,
                        hosts: 0,
                        different: 0,
                        offers: Vec::new(),
                    });
                    self.refusals.len() - 1
                }
            };
            let refusal = &mut self.refusals[place];
            refusal.hosts += offered.hosts;
            refusal.different += 1;
            if refusal.offers.len() < self.question.most {
                refusal.offers.push(offered);
            }
        }
    }
}

#[cfg(test)]
mod tests;
