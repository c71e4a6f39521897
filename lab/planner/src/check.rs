// SPDX-License-Identifier: GPL-2.0

//! Plans against what booted hosts answered.

use std::collections::HashMap;

use crate::matrix::{Matrix, Refusal, Vm};
use crate::reason::Reason;
use crate::registers::{long, name, short, Id};
use crate::{Dumps, Handlers, Hosts, Question, Verdicts};

/// A refused write: register, value, and the reason with the offer, where the host tells it.
type Write = (Id, Option<u64>, Option<(Reason, u64)>);

/// The cells that the plan has differently, each told in a line. Strict VMs and default ones have the
/// same plan.
///
/// # Errors
///
/// A matrix that lacks cells of strict VMs or, where it has some, of default ones: it is no proof of
/// anything.
pub fn differences(matrix: &Matrix) -> Result<Vec<String>, String> {
    matrix.whole(Vm::Strict)?;
    if matrix.cells.iter().any(|cell| cell.vm == Vm::Default) {
        matrix.whole(Vm::Default)?;
    }
    let planned = plan(matrix);
    // The C handlers do not tell why.
    let hosts = matrix.hosts.iter();
    let silent = hosts.filter(|host| host.kernel == Handlers::C);
    let silent: Vec<&str> = silent.map(|host| &*host.name).collect();

    let mut differences = Vec::new();
    for cell in &matrix.cells {
        let planned = planned.get(&(cell.dump.clone(), cell.host.clone()));
        let mut planned = planned.map_or(Vec::new(), Vec::clone);
        if silent.contains(&&*cell.host) {
            planned.iter_mut().for_each(|(.., why)| *why = None);
        }
        let mut booted: Vec<Write> = cell.refusals.iter().map(write).collect();
        booted.sort();
        if planned != booted {
            let (vm, planned, booted) = (cell.vm.name(), told(&planned), told(&booted));
            differences.push(format!(
                "{} on {}, {vm}: planned: {planned}; booted: {booted}",
                cell.dump, cell.host
            ));
        }
    }
    Ok(differences)
}

/// The refusals of all moves that are refused, by dump and host.
fn plan(matrix: &Matrix) -> HashMap<(String, String), Vec<Write>> {
    let mut plan: HashMap<_, Vec<Write>> = HashMap::new();
    let dumps = Dumps::group(matrix.dumps.clone());
    let hosts = Hosts::new(matrix.hosts.clone(), &Dumps::kinds(&dumps));
    let question = Question {
        null_promises: false,
        most: usize::MAX,
    };
    for dumps in &dumps {
        for refused in Verdicts::new(&hosts, dumps, question).refusals {
            for offered in refused.offers {
                // What the trace tells of a register that is unknown.
                let why = (refused.reason.into(), offered.offer.unwrap_or(0));
                let write = (refused.id, Some(refused.value), Some(why));
                for host in hosts.names(hosts.members(offered)) {
                    for dump in &dumps.names {
                        let cell = (dump.clone(), host.to_owned());
                        plan.entry(cell).or_default().push(write);
                    }
                }
            }
        }
    }
    plan
}

fn write(refusal: &Refusal) -> Write {
    let why = refusal.why.map(|why| (why.reason, why.offer));
    (refusal.id, refusal.value, why)
}

fn told(writes: &[Write]) -> String {
    if writes.is_empty() {
        return "accepted".to_owned();
    }
    let tell = |(id, value, why): &Write| {
        let value = value.map_or("(lost)".to_owned(), |value| long(*id, value));
        let why = why.map_or("refused for no reason".to_owned(), |(reason, offer)| {
            format!("{}, offer {}", reason.text(), short(*id, offer))
        });
        format!("{} = {value} {why}", name(*id))
    };
    let writes: Vec<String> = writes.iter().map(tell).collect();
    writes.join(", ")
}

#[cfg(test)]
mod tests;
