// SPDX-License-Identifier: GPL-2.0

use std::path::Path;

use super::*;
use crate::files;
use crate::matrix::{Cell, Why};

/// What hosts answered that were booted for this.
fn testdata(name: &str) -> Matrix {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata");
    files::matrix(&path.join(name)).unwrap()
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
    cell.back = Some(true);
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
fn the_way_back_is_compared_too() {
    let fleet = booted_fleet();
    for (vm, refused) in [
        (Vm::Strict, false),
        (Vm::Default, false),
        (Vm::Default, true),
    ] {
        let mut matrix = fleet.clone();
        let mut cells = matrix.cells.iter_mut();
        let is_meant = |cell: &&mut Cell| cell.vm == vm && cell.back == Some(!refused);
        let cell = cells.find(is_meant).unwrap();
        assert_eq!(cell.refusals_back.is_empty(), !refused);
        cell.refusals_back = match refused {
            true => Vec::new(),
            false => fleet
                .cells
                .iter()
                .find(|cell| !cell.accepted)
                .unwrap()
                .refusals
                .clone(),
        };
        cell.back = Some(refused);
        let (dump, host) = (cell.dump.clone(), cell.host.clone());
        let told = differences(&matrix).unwrap();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(
            told[0].starts_with(&format!("{dump} on {host} and back, {}: ", vm.name())),
            "{told:?}"
        );
    }
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
            matrix.cells[accepted] = Cell {
                dump: matrix.cells[accepted].dump.clone(),
                host: matrix.cells[accepted].host.clone(),
                ..cell.clone()
            };
        }),
        1
    );
    assert_eq!(
        spoilt(&|matrix| {
            matrix.cells[refused].accepted = true;
            matrix.cells[refused].refusals.clear();
            matrix.cells[refused].back = Some(true);
        }),
        1
    );
    let refusal = |matrix: &mut Matrix, spoil: &dyn Fn(&mut Refusal)| {
        spoil(&mut matrix.cells[refused].refusals[0]);
    };
    fn why(refusal: &mut Refusal) -> &mut Why {
        refusal.why.as_mut().unwrap()
    }
    let spoils: [&dyn Fn(&mut Refusal); 5] = [
        &|refusal| refusal.id += 1,
        &|refusal| refusal.value = None,
        &|refusal| why(refusal).offer = 7,
        &|refusal| why(refusal).reason = Reason::Malformed,
        &|refusal| refusal.why = None,
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

    let empty = Matrix {
        hosts: Vec::new(),
        cells: Vec::new(),
        ..matrix
    };
    assert!(differences(&empty).unwrap_err().contains("no hosts"));

    let refusal = booted_fleet().cells.into_iter().find(|cell| !cell.accepted);
    let refusal = &refusal.unwrap().refusals[0];
    type Spoil<'a> = &'a dyn Fn(&mut Cell);
    let spoils: [(&str, Spoil); 6] = [
        ("both accepted", &|cell| cell.accepted = false),
        ("both accepted", &|cell| cell.refusals.push(refusal.clone())),
        ("both taken back", &|cell| cell.back = Some(false)),
        ("both taken back", &|cell| {
            cell.refusals_back.push(refusal.clone())
        }),
        ("a way back", &|cell| cell.back = None),
        ("a way back", &|cell| cell.dump = "nowhere".to_owned()),
    ];
    for (message, spoil) in spoils {
        let mut matrix = booted_matrix();
        let cells = matrix.cells.iter_mut();
        let mut taken_back = cells.filter(|cell| cell.back == Some(true));
        let cell = taken_back.next().unwrap();
        let dump = cell.dump.clone();
        spoil(cell);
        // The dump of a host that is none of the matrix.
        if cell.dump != dump {
            matrix
                .dumps
                .iter_mut()
                .filter(|it| it.name == dump)
                .for_each(|it| it.name.clone_from(&cell.dump));
        }
        let error = differences(&matrix).unwrap_err();
        assert!(error.starts_with(message), "{error}");
    }
}
