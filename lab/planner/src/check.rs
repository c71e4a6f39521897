// SPDX-License-Identifier: GPL-2.0

//! Plans against what booted hosts answered.

use std::collections::HashMap;

use crate::matrix::{Cell, Matrix, Refusal, Vm};
use crate::reason::Reason;
use crate::registers::{long, name, short, Id};
use crate::{Dumps, Gate, Handlers, HostOffers, Losses, Lost};

/// A refused write: register, value, and the reason with the offer, where the host tells it.
type Write = (Id, Option<u64>, Option<(Reason, u64)>);

/// The cells of which the gate says something else, there or on the way back, each told in a line.
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
    let hosts = matrix.hosts.iter();
    let hosts: HashMap<&str, &HostOffers> = hosts.map(|host| (&*host.name, host)).collect();
    let mut plans = HashMap::new();
    for dump in &matrix.dumps {
        let home = hosts.get(&*dump.name).copied();
        let dumps = Dumps::group(vec![dump.clone()]);
        for host in &matrix.hosts {
            let lost = plan(&dumps[0], home, host);
            plans.insert((&*dump.name, &*host.name), lost);
        }
    }

    let mut differences = Vec::new();
    for cell in &matrix.cells {
        let Cell { dump, host, vm, .. } = cell;
        let plan = &plans[&(&**dump, &**host)];
        let mut compare =
            |way: &str, mut planned: Vec<Write>, judge: &str, refusals: &[Refusal]| {
                // The C handlers do not tell why.
                if hosts[judge].kernel == Handlers::C {
                    planned.iter_mut().for_each(|(.., why)| *why = None);
                }
                let mut booted: Vec<Write> = refusals.iter().map(write).collect();
                booted.sort();
                if planned != booted {
                    let (vm, planned, booted) = (vm.name(), told(&planned), told(&booted));
                    differences.push(format!(
                        "{dump} on {host}{way}, {vm}: planned: {planned}; booted: {booted}"
                    ));
                }
            };
        compare("", there(plan), host, &cell.refusals);
        if cell.back.is_some() {
            let losses = match vm {
                Vm::Strict => &plan.strict_back,
                Vm::Default => &plan.default_back,
            };
            compare(" and back", back(losses), dump, &cell.refusals_back);
        }
    }
    Ok(differences)
}

/// What a VM from `home` loses if `host` is the only one that it can move to.
fn plan(dump: &Dumps, home: Option<&HostOffers>, host: &HostOffers) -> Lost {
    let home = home.cloned().into_iter().collect();
    let elsewhere = HostOffers {
        name: format!("{}, elsewhere", host.name),
        ..host.clone()
    };
    Gate::new(home, vec![elsewhere], &[dump.kind].into(), false).judge(dump, usize::MAX)
}

/// What is refused there.
fn there(plan: &Lost) -> Vec<Write> {
    let moves = plan.moves.iter().flat_map(|moves| {
        let offers = moves.offers.iter();
        offers.map(|(offer, _)| planned(moves.id, moves.value, moves.reason, *offer))
    });
    moves.collect()
}

fn back(losses: &Losses) -> Vec<Write> {
    let causes = losses.keys();
    let causes = causes.map(|cause| planned(cause.id, cause.value, cause.reason, cause.offer));
    causes.collect()
}

fn planned(id: Id, value: u64, reason: Reason, offer: Option<u64>) -> Write {
    // What the trace tells of a register that is unknown.
    (id, Some(value), Some((reason, offer.unwrap_or(0))))
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
