// SPDX-License-Identifier: GPL-2.0

//! What hosts answered, as it was heard; and the matrix that is made of it.

use anyhow::{anyhow, Result};
use planner::{HostOffers, Registers, SavedVm};

use crate::model::answer::Answer;
use crate::model::discovery::Told;
use crate::model::dump::Dump;
use crate::model::hosts::Host;
use crate::model::matrix::{Cell, Contradiction, Matrix, Schema, Vm};
use crate::model::mistakes::Mistake;

pub struct Heard {
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

impl Heard {
    /// The moves of strict and of default VMs.
    ///
    /// # Errors
    ///
    /// Dumps that are none of a fleet's.
    pub fn matrix(&self) -> Result<Matrix> {
        let dumps = self.dumps.iter().map(|dump| {
            let registers = Registers::new(dump.registers.iter().copied())?;
            Ok(SavedVm::new(&dump.source, registers))
        });
        let dumps: Result<Vec<SavedVm>, String> = dumps.collect();
        let kinds = [(Vm::Strict, &self.strict), (Vm::Default, &self.default)];
        let cells = kinds.into_iter().flat_map(|(vm, answers)| {
            let cell = move |(dump, host)| self.cell(vm, answers, dump, host);
            self.moves().map(cell)
        });
        Ok(Matrix {
            schema: Schema::V3,
            hosts: self.offers.clone(),
            dumps: dumps.map_err(|error| anyhow!(error))?,
            cells: cells.collect(),
        })
    }

    fn cell(&self, vm: Vm, answers: &Answers, dump: usize, host: usize) -> Cell {
        let there = answers.there(dump, host);
        let back = answers.back(dump, host);
        Cell {
            vm,
            dump: self.dumps[dump].source.clone(),
            host: self.hosts[host].name.clone(),
            accepted: there.accepted(),
            refusals: there.refusals.clone(),
            back: back.map(Answer::accepted),
            refusals_back: back.map_or(Vec::new(), |answer| answer.refusals.clone()),
            told_otherwise: self.contradictions(answers, dump, host),
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
        if !there.accepted() {
            return Vec::new();
        }
        let mut found = there.contradictions(&self.dumps[dump].registers);
        if let Some(back) = answers.back(dump, host) {
            found.extend(back.contradictions(&there.saved));
        }
        found
    }

    /// All moves: dump and host.
    pub fn moves(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.dumps.len()).flat_map(|dump| (0..self.hosts.len()).map(move |host| (dump, host)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn the_file_holds_every_move_and_survives_its_text() {
        let file = example().matrix().unwrap();
        for vm in Vm::ALL {
            file.whole(vm).unwrap();
        }
        let text = file.to_text().unwrap();
        assert_eq!(serde_json::from_str::<Matrix>(&text).unwrap(), file);
        assert_eq!(text.lines().count(), 2 + 3 + 2 * 3 * 2 + 9);
    }

    #[test]
    fn a_cell_tells_what_became_of_the_vm() {
        let file = example().matrix().unwrap();
        let cell = |vm, dump: &str, host: &str| {
            let mut cells = file.cells.iter();
            let cell = cells.find(|cell| (cell.vm, &*cell.dump, &*cell.host) == (vm, dump, host));
            cell.unwrap().clone()
        };
        let refused = cell(Vm::Strict, "good", "bad");
        assert!(!refused.accepted && refused.back.is_none());
        assert_eq!(refused.refusals[0].why.unwrap().offer, 1);

        let one_way = cell(Vm::Default, "bad", "good");
        assert!(one_way.accepted && one_way.back == Some(false));
        assert_eq!(one_way.refusals_back[0].errno, "EINVAL");
        assert_eq!(
            (
                one_way.told_otherwise[0].value,
                one_way.told_otherwise[0].told
            ),
            (1, 1)
        );

        let ok = cell(Vm::Strict, "bad", "good");
        assert!(ok.accepted && ok.back == Some(true) && ok.told_otherwise.is_empty());
        assert_eq!(cell(Vm::Strict, "field", "good").back, None);
    }
}
