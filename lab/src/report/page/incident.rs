// SPDX-License-Identifier: GPL-2.0

//! The incident in the field data (see `lab/testdata/README.md`), told as an example.

use anyhow::Result;
use askama::Template;
use planner::Registers;

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
    accept_before: String,
    accept_after: String,
}

struct Row {
    register: String,
    before: String,
    after: String,
    changed: bool,
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
