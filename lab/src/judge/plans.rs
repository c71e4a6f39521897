// SPDX-License-Identifier: GPL-2.0

//! Plans against what booted hosts answered.

use std::collections::HashMap;

use planner::{Moves, Question};

use crate::base::project::Handlers;
use crate::model::fleet::grouped;
use crate::model::fleet::matrix::{Cell, Hex, Matrix, Vm};
use crate::model::reason::Reason;
use crate::model::registers::{long, name, short, Id};

/// One refused write.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refused {
    id: Id,
    value: u64,
    /// None: the host did not tell.
    why: Option<(Reason, u64)>,
}

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
    let cells = matrix.cells.iter();
    Ok(cells
        .filter_map(|cell| {
            let planned = planned.get(&(cell.dump.clone(), cell.host.clone()));
            let planned = planned.map_or(&[][..], Vec::as_slice);
            let booted = booted(cell);
            let why = explains(matrix, &cell.host);
            (!same(planned, &booted, why)).then(|| {
                format!(
                    "{} on {}, {}: planned: {}; booted: {}",
                    cell.dump,
                    cell.host,
                    cell.vm.name(),
                    told(planned),
                    told(&booted)
                )
            })
        })
        .collect())
}

/// The refusals of all moves that are refused, by dump and host.
fn plan(matrix: &Matrix) -> HashMap<(String, String), Vec<Refused>> {
    let mut plan: HashMap<_, Vec<Refused>> = HashMap::new();
    let (hosts, dumps) = grouped(matrix.hosts.clone(), matrix.dumps.clone());
    let question = Question {
        null_promises: false,
        most: usize::MAX,
    };
    for dumps in dumps {
        for refusal in Moves::new(&hosts, &dumps, question).refusals {
            for offered in refusal.offers {
                // What the trace tells of a register that is unknown.
                let offer = offered.offer.unwrap_or(0);
                for (dump, host) in pairs(&dumps.names, hosts.names(hosts.members(offered))) {
                    plan.entry((dump, host)).or_default().push(Refused {
                        id: refusal.id,
                        value: refusal.value,
                        why: Some((refusal.reason.into(), offer)),
                    });
                }
            }
        }
    }
    plan
}

/// Whether the host tells why it refuses.
fn explains(matrix: &Matrix, host: &str) -> bool {
    let found = matrix.hosts.iter().find(|found| found.host.name == host);
    found.is_none_or(|host| host.kernel == Handlers::Rust)
}

fn same(planned: &[Refused], booted: &[Refused], why: bool) -> bool {
    let what = |refused: &Refused| (refused.id, refused.value, refused.why.filter(|_| why));
    planned.iter().map(what).eq(booted.iter().map(what))
}

fn pairs<'a>(
    dumps: &'a [String],
    hosts: impl Iterator<Item = &'a str> + Clone + 'a,
) -> impl Iterator<Item = (String, String)> + 'a {
    let with_hosts = move |dump: &'a String| {
        let hosts = hosts.clone();
        hosts.map(move |host| (dump.clone(), host.to_owned()))
    };
    dumps.iter().flat_map(with_hosts)
}

fn booted(cell: &Cell) -> Vec<Refused> {
    let mut refused: Vec<Refused> = cell
        .refusals
        .iter()
        .map(|refusal| Refused {
            id: refusal.register,
            value: refusal.value,
            why: refusal.reason.zip(refusal.offer.map(|Hex(offer)| offer)),
        })
        .collect();
    refused.sort();
    refused
}

fn told(refused: &[Refused]) -> String {
    if refused.is_empty() {
        return "accepted".to_owned();
    }
    let tell = |Refused { id, value, why }: &Refused| {
        let write = format!("{} = {}", name(*id), long(*id, *value));
        match why {
            Some((reason, offer)) => {
                format!("{write} {}, offer {}", reason.text(), short(*id, *offer))
            }
            None => format!("{write} refused for no reason"),
        }
    };
    let refused: Vec<String> = refused.iter().map(tell).collect();
    refused.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::project::Project;
    use crate::model::fleet::file;
    use crate::model::fleet::matrix::Refusal;

    /// What hosts answered that were booted for this.
    fn testdata(name: &str) -> Matrix {
        let path = Project::here().root().join("lab/testdata").join(name);
        file::matrix(&path).unwrap()
    }

    /// What they answered to strict VMs.
    fn booted_matrix() -> Matrix {
        testdata("matrix.json")
    }

    /// What others answered to both kinds of VM, one of them with the handlers in C.
    fn booted_fleet() -> Matrix {
        testdata("fleet.json")
    }

    #[test]
    fn the_plan_is_what_booted_hosts_answer() {
        for matrix in [booted_matrix(), booted_fleet()] {
            assert_eq!(differences(&matrix).unwrap(), [""; 0]);
            let accepted = matrix.cells.iter().filter(|cell| cell.accepted).count();
            assert!(matrix.cells.len() > 100);
            assert!(accepted > 0 && accepted < matrix.cells.len());
        }
    }

    #[test]
    fn default_vms_are_compared_too() {
        let mut matrix = booted_fleet();
        let of_default = |cell: &Cell| cell.vm == Vm::Default && !cell.accepted;
        let cell = matrix.cells.iter().position(of_default).unwrap();
        let cell = &mut matrix.cells[cell];
        cell.accepted = true;
        cell.refusals.clear();
        let (dump, host) = (cell.dump.clone(), cell.host.clone());
        let told = differences(&matrix).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("{dump} on {host}, default: planned: ")));

        let last = matrix.cells.pop().unwrap();
        assert_eq!(last.vm, Vm::Default);
        assert!(differences(&matrix)
            .unwrap_err()
            .starts_with("no cell for "));
    }

    #[test]
    fn each_difference_is_told() {
        let matrix = booted_matrix();
        let refused = matrix.cells.iter().position(|cell| !cell.accepted).unwrap();
        let accepted = matrix.cells.iter().position(|cell| cell.accepted).unwrap();
        let spoilt = |spoil: &dyn Fn(&mut Matrix)| {
            let mut matrix = matrix.clone();
            spoil(&mut matrix);
            differences(&matrix).unwrap().len()
        };

        let cell = matrix.cells[refused].clone();
        assert_eq!(
            spoilt(&|matrix| {
                matrix.cells[accepted].accepted = false;
                matrix.cells[accepted].refusals.clone_from(&cell.refusals);
            }),
            1
        );
        assert_eq!(
            spoilt(&|matrix| {
                matrix.cells[refused].accepted = true;
                matrix.cells[refused].refusals.clear();
            }),
            1
        );
        let refusal = |matrix: &mut Matrix, spoil: &dyn Fn(&mut Refusal)| {
            spoil(&mut matrix.cells[refused].refusals[0]);
        };
        let spoils: [&dyn Fn(&mut Refusal); 5] = [
            &|refusal| refusal.register += 1,
            &|refusal| refusal.value += 1,
            &|refusal| refusal.offer = Some(Hex(7)),
            &|refusal| refusal.reason = Some(Reason::Malformed),
            &|refusal| refusal.reason = None,
        ];
        for spoil in spoils {
            assert_eq!(spoilt(&|matrix| refusal(matrix, spoil)), 1);
        }
    }

    #[test]
    fn a_matrix_with_holes_proves_nothing() {
        let mut matrix = booted_matrix();
        let cell = matrix.cells.pop().unwrap();
        let missing = format!("no cell for {} on {}", cell.dump, cell.host);
        assert_eq!(differences(&matrix).unwrap_err(), missing);

        matrix.cells.extend([cell.clone(), cell]);
        assert!(differences(&matrix).unwrap_err().contains("too many"));

        let mut matrix = booted_matrix();
        matrix.cells[0].accepted = !matrix.cells[0].accepted;
        assert!(differences(&matrix).unwrap_err().contains("both"));
    }
}
