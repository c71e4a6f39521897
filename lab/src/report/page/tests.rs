// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::base::project::Project;
use planner::files;

fn fleet() -> Matrix {
    let path = Project::here().root().join("lab/testdata/fleet.json");
    files::matrix(&path).unwrap()
}

fn render(matrix: &Matrix) -> Result<String> {
    super::render(matrix, &deviations())
}

fn deviations() -> Vec<Deviation> {
    crate::model::deviations::load(&Project::here()).unwrap()
}

#[test]
fn a_page_has_each_move_twice_and_needs_nothing_else() {
    let matrix = fleet();
    let page = render(&matrix).unwrap();
    let cells = page.matches("role=\"gridcell\"").count();
    assert_eq!(cells, 2 * matrix.hosts.len() * matrix.dumps.len());
    for outside in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}

#[test]
fn the_verdict_tells_who_strands_vms() {
    let matrix = fleet();
    let moves = Moves::new(&matrix).unwrap();
    let strict = verdict(&moves, Vm::Strict);
    assert!(
        strict.contains("as a strict one can always go back"),
        "{strict}"
    );
    // On the host that keeps the C handlers.
    assert!(
        strict.contains("VMs that are accepted as default ones"),
        "{strict}"
    );
    let default = verdict(&moves, Vm::Default);
    assert!(!default.contains("always"), "{default}");
}

#[test]
fn every_difference_is_explained() {
    let matrix = fleet();
    let moves = Moves::new(&matrix).unwrap();
    let titles = |moves: &Moves| -> Vec<&str> {
        let all = differences(moves, &deviations());
        all.into_iter().map(|difference| difference.title).collect()
    };
    assert_eq!(titles(&moves).len(), 2);

    // A move that is refused to one kind of VM only is nothing that was meant.
    let mut matrix = fleet();
    let refused = matrix.cells.iter_mut().find(|cell| !cell.accepted);
    let refused = refused.unwrap();
    refused.accepted = true;
    refused.refusals.clear();
    let moves = Moves::new(&matrix).unwrap();
    assert_eq!(titles(&moves)[2], "Not explained");
}

#[test]
fn the_incident_is_told_where_there_are_its_dumps() {
    let mut matrix = fleet();
    let page = render(&matrix).unwrap();
    assert!(page.contains("From the field"));
    let (_, losses) = page.split_once("id=\"losses\"").unwrap();
    let (losses, _) = losses.split_once("</table>").unwrap();
    let row = |update: &str, vm: &str, loses: &str| {
        format!(
            "{update}</th><td>{vm}</td><td>{loses}</td>\
             <td>SMCCC_ARCH_WORKAROUND_3 = 2 (not required): exceeds the offer</td>"
        )
    };
    for row in [
        row("v2-6.1.129 to v2-6.1.172", "any", "move"),
        row("v2-6.1.172 to v2-6.1.129", "default", "come back"),
    ] {
        assert!(losses.contains(&row), "{losses}");
    }
    assert_eq!(losses.matches("<tr>").count(), 1 + 2, "{losses}");
    matrix.dumps.retain(|dump| dump.name != "v2-6.1.129");
    assert!(!render(&matrix).unwrap().contains("From the field"));
}

#[test]
fn a_matrix_that_lacks_a_move_is_an_error() {
    let mut matrix = fleet();
    matrix.cells.pop();
    assert!(render(&matrix)
        .unwrap_err()
        .to_string()
        .starts_with("no cell for"));
}

#[test]
fn names_are_not_markup() {
    let mut matrix = fleet();
    matrix.hosts[0].about = "<script>".to_owned();
    let page = render(&matrix).unwrap();
    assert_eq!(page.matches("<script>").count(), 1);
}
