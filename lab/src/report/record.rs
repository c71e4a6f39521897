// SPDX-License-Identifier: GPL-2.0

//! What was found out, as `matrix.json` has it.

use anyhow::{anyhow, Result};

use crate::model::answer::Refusal;
use crate::model::discovery::Contradiction;
use crate::model::fleet::matrix::{self as file, Cell, Hex, Schema, ToldOtherwise, Vm};
use crate::model::fleet::{Registers, SavedVm};
use crate::model::moves::{Answers, Matrix};

/// # Errors
///
/// Dumps that are none of a fleet's.
pub fn of(matrix: &Matrix) -> Result<file::Matrix> {
    let dumps = matrix.dumps.iter().map(|dump| {
        let registers = Registers::new(dump.registers.iter().copied())?;
        Ok(SavedVm::new(&dump.source, registers))
    });
    let dumps: Result<Vec<SavedVm>, String> = dumps.collect();
    let kinds = [(Vm::Strict, &matrix.strict), (Vm::Default, &matrix.default)];
    let cells = kinds.into_iter().flat_map(|(vm, answers)| {
        matrix
            .moves()
            .map(move |(dump, host)| cell(matrix, vm, answers, dump, host))
    });
    Ok(file::Matrix {
        schema: Schema::V2,
        hosts: matrix.offers.clone(),
        dumps: dumps.map_err(|error| anyhow!(error))?,
        cells: cells.collect(),
    })
}

fn cell(matrix: &Matrix, vm: Vm, answers: &Answers, dump: usize, host: usize) -> Cell {
    let there = answers.there(dump, host);
    let back = answers.back(dump, host);
    let told_otherwise = matrix.contradictions(answers, dump, host);
    Cell {
        vm,
        dump: matrix.dumps[dump].source.clone(),
        host: matrix.hosts[host].name.clone(),
        accepted: there.accepted(),
        refusals: there.refusals.iter().filter_map(refusal).collect(),
        back: back.map(|answer| answer.accepted()),
        refusals_back: back.map_or(Vec::new(), |answer| {
            answer.refusals.iter().filter_map(refusal).collect()
        }),
        told_otherwise: told_otherwise.into_iter().map(told).collect(),
    }
}

/// None for a write of a lost value: no VM that moves makes one.
fn refusal(refusal: &Refusal) -> Option<file::Refusal> {
    Some(file::Refusal {
        register: refusal.id,
        value: refusal.value?,
        errno: refusal.errno.clone(),
        reason: refusal.why.map(|why| why.reason),
        offer: refusal.why.map(|why| Hex(why.offer)),
    })
}

fn told(contradiction: Contradiction) -> ToldOtherwise {
    let Contradiction {
        id,
        value,
        told,
        expected,
    } = contradiction;
    ToldOtherwise {
        register: id,
        value,
        told,
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;

    #[test]
    fn the_file_holds_every_move_and_survives_its_text() {
        let file = of(&example()).unwrap();
        for vm in Vm::ALL {
            file.whole(vm).unwrap();
        }
        let text = file.to_text().unwrap();
        assert_eq!(serde_json::from_str::<file::Matrix>(&text).unwrap(), file);
        assert_eq!(text.lines().count(), 2 + 3 + 2 * 3 * 2 + 9);
    }

    #[test]
    fn a_cell_tells_what_became_of_the_vm() {
        let file = of(&example()).unwrap();
        let cell = |vm, dump: &str, host: &str| {
            let mut cells = file.cells.iter();
            let cell = cells.find(|cell| (cell.vm, &*cell.dump, &*cell.host) == (vm, dump, host));
            cell.unwrap().clone()
        };
        let refused = cell(Vm::Strict, "good", "bad");
        assert!(!refused.accepted && refused.back.is_none());
        assert_eq!(refused.refusals[0].offer, Some(Hex(1)));

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
