// SPDX-License-Identifier: GPL-2.0

//! The incident in the field data (see `lab/testdata/README.md`), told as an example.

use anyhow::{Error, Result};
use askama::Template;
use planner::reason::Reason;
use planner::{Dumps, Gate, HostOffers, Kinds, Registers, SavedVm};

use super::detail;
use crate::model::matrix::{Matrix, Vm};
use crate::model::moves::Moves;
use crate::model::registers::{long, name};

/// The same type of machine before and after an upgrade of its kernel.
const BEFORE: &str = "v2-6.1.129";
const AFTER: &str = "v2-6.1.172";

#[derive(Template)]
#[template(path = "incident.html")]
struct Incident {
    before: &'static str,
    after: &'static str,
    rows: Vec<Row>,
    /// Hosts that are in the place of the upgraded machine.
    like: String,
    refusals: Vec<String>,
    losses: Vec<Loss>,
    accept_before: String,
    accept_after: String,
}

struct Row {
    register: String,
    before: String,
    after: String,
    changed: bool,
}

/// What a VM loses by an update.
struct Loss {
    update: String,
    vm: &'static str,
    loses: &'static str,
    because: String,
}

/// None where the matrix has not the dumps that tell it.
pub fn tell(matrix: &Matrix, moves: &Moves) -> Result<Option<String>> {
    let (Some(before), Some(after)) = (moves.dump(BEFORE), moves.dump(AFTER)) else {
        return Ok(None);
    };
    let accepts = |dump, host| moves.cell(Vm::Strict, dump, host).accepted;
    let hosts = |is_meant: &dyn Fn(usize) -> bool| {
        let all = (0..moves.hosts.len()).filter(|host| is_meant(*host));
        let names: Vec<&str> = all.map(|host| moves.hosts[host]).collect();
        match names.is_empty() {
            true => "none".to_owned(),
            false => names.join(", "),
        }
    };
    let is_like = |host: &usize| accepts(after, *host) && !accepts(before, *host);
    let first = (0..moves.hosts.len()).find(is_like);
    let refusals = first.map_or(&[][..], |host| {
        &moves.cell(Vm::Strict, before, host).refusals
    });

    let incident = Incident {
        before: BEFORE,
        after: AFTER,
        rows: rows(
            &matrix.dumps[before].registers,
            &matrix.dumps[after].registers,
        ),
        like: hosts(&|host| is_like(&host)),
        refusals: refusals
            .iter()
            .map(|refusal| {
                let (what, why) = detail::refusal(refusal);
                format!("{what}: {why}")
            })
            .collect(),
        losses: losses(&matrix.dumps[before], &matrix.dumps[after])?,
        accept_before: hosts(&|host| accepts(before, host)),
        accept_after: hosts(&|host| accepts(after, host)),
    };
    Ok(Some(incident.render()?))
}

fn rows(before: &Registers, after: &Registers) -> Vec<Row> {
    let value = |registers: &Registers, id| {
        let found = registers.iter().find(|(found, _)| *found == id);
        found.map_or("-".to_owned(), |(_, value)| long(id, value))
    };
    let row = |(id, _)| {
        let (before, after) = (value(before, id), value(after, id));
        Row {
            register: name(id),
            changed: before != after,
            before,
            after,
        }
    };
    before.iter().map(row).collect()
}

/// What a fresh VM loses when the machine is updated, and when that is taken back.
fn losses(before: &SavedVm, after: &SavedVm) -> Result<Vec<Loss>> {
    let mut losses = Vec::new();
    for (from, to) in [(before, after), (after, before)] {
        // Of the same name: one machine.
        let machine = |dump: &SavedVm| {
            let vm = SavedVm::new("machine", dump.registers.clone());
            HostOffers::of_fresh(vm, String::new()).map_err(Error::msg)
        };
        let vms = Dumps::group(vec![machine(from)?.fresh_vm()]);
        let mut gate = Gate::new(
            vec![machine(from)?],
            vec![machine(to)?],
            &Dumps::kinds(&vms),
            false,
        );
        let loss = |vm: Kinds, loses, id, value, reason: Reason| Loss {
            update: format!("{} to {}", from.name, to.name),
            vm: vm.name(),
            loses,
            because: format!("{} = {}: {}", name(id), long(id, value), reason.text()),
        };
        for vm in &vms {
            let lost = gate.judge(vm, usize::MAX);
            let moves = lost.moves.iter();
            losses.extend(moves.map(|it| loss(Kinds::Any, "move", it.id, it.value, it.reason)));
            let back = lost.ways_back();
            losses
                .extend(back.map(|(vm, it, _)| loss(vm, "come back", it.id, it.value, it.reason)));
        }
    }
    Ok(losses)
}
