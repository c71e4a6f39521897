// SPDX-License-Identifier: GPL-2.0

//! `matrix.html`: one page with all that it needs, made from what `matrix.json` holds. All texts
//! are made here, so that the page's script has only to show and hide them.

mod detail;
mod incident;
pub mod travels;

use anyhow::Result;
use askama::Template;
use planner::{HostOffers, Offers};

use crate::base::kernel::Handlers;
use crate::judge::differences::Cause;
use crate::model::deviations::Deviation;
use crate::model::matrix::{Fate, Matrix, Vm};
use crate::model::moves::Moves;
use crate::model::registers::{self, COLUMNS};
use detail::Details;

const STYLE: &str = include_str!("../../templates/matrix.css");

#[derive(Template)]
#[template(path = "matrix.html")]
struct MatrixPage<'a> {
    style: &'static str,
    script: &'static str,
    dumps: Vec<&'a str>,
    /// How many of them were not saved on the hosts.
    field: usize,
    hosts: Vec<HostRow<'a>>,
    kinds: Vec<Map<'a>>,
    /// How many moves do not end the same.
    differing: usize,
    details: Vec<String>,
    differences: Vec<MovesOfCause>,
    incident: Option<String>,
    columns: Vec<(&'static str, String)>,
    legend: String,
}

struct HostRow<'a> {
    name: &'a str,
    about: &'a str,
    keeps_c: bool,
    offers: Vec<String>,
}

/// Moves that end otherwise for a default VM, for one cause.
struct MovesOfCause {
    title: &'static str,
    why: String,
    count: usize,
    moves: Vec<(String, String)>,
}

/// What became of one kind of VM.
struct Map<'a> {
    name: &'static str,
    title: &'static str,
    note: String,
    verdict: String,
    counts: Vec<(Fate, usize)>,
    rows: Vec<Row<'a>>,
}

/// Where a VM went.
struct Row<'a> {
    dump: &'a str,
    /// The first of those that were not saved on these hosts.
    first_of_field: bool,
    cells: Vec<Square>,
}

struct Square {
    fate: Fate,
    differs: bool,
    /// The number of its text.
    detail: usize,
    label: String,
}

/// # Errors
///
/// A matrix that lacks moves.
pub fn render(matrix: &Matrix, deviations: &[Deviation]) -> Result<String> {
    let moves = Moves::new(matrix)?;
    let mut details = Details::default();
    let mut kinds = Vec::new();
    for vm in Vm::ALL {
        kinds.push(kind(&moves, vm, deviations, &mut details)?);
    }
    let page = MatrixPage {
        style: STYLE,
        script: include_str!("../../templates/matrix.js"),
        dumps: moves.dumps.clone(),
        field: (0..moves.dumps.len())
            .filter(|dump| !moves.is_from_host(*dump))
            .count(),
        hosts: matrix.hosts.iter().map(host).collect(),
        differing: moves.count(|dump, host| moves.differ(dump, host)),
        kinds,
        details: details.texts(),
        differences: differences(&moves, deviations),
        incident: incident::tell(matrix, &moves)?,
        columns: COLUMNS
            .map(|(id, title)| (title, registers::name(id)))
            .into(),
        legend: registers::LEGEND.replace('\n', " "),
    };
    Ok(page.render()?)
}

/// All differences, by cause.
fn differences(moves: &Moves, deviations: &[Deviation]) -> Vec<MovesOfCause> {
    let difference = |cause: Cause| {
        let applies = |dump, host| cause.applies(moves, dump, host);
        MovesOfCause {
            title: cause.title(),
            why: cause.why(deviations),
            count: moves.count(applies),
            moves: moves.named(applies),
        }
    };
    let all = Cause::ALL.map(difference).into_iter();
    all.filter(|difference| difference.count > 0).collect()
}

fn kind<'a>(
    moves: &Moves<'a>,
    vm: Vm,
    deviations: &[Deviation],
    details: &mut Details,
) -> Result<Map<'a>> {
    let mut rows: Vec<Row> = Vec::new();
    for (dump, name) in moves.dumps.iter().enumerate() {
        let cell = |(host, target): (usize, &&str)| {
            let fate = moves.fate(vm, dump, host);
            let differs = moves.differ(dump, host);
            let other = if differs {
                "; otherwise for the other kind of VM"
            } else {
                ""
            };
            Ok(Square {
                fate,
                differs,
                detail: details.number(moves, deviations, dump, host)?,
                label: format!("{name} to {target}: {}{other}", fate.word()),
            })
        };
        let is_field = !moves.is_from_host(dump);
        rows.push(Row {
            dump: name,
            first_of_field: is_field && rows.iter().all(|row| moves.hosts.contains(&row.dump)),
            cells: moves
                .hosts
                .iter()
                .enumerate()
                .map(cell)
                .collect::<Result<_>>()?,
        });
    }

    let count = |fate| moves.count(|dump, host| moves.fate(vm, dump, host) == fate);
    Ok(Map {
        name: vm.name(),
        title: title(vm),
        note: note(moves, vm),
        verdict: verdict(moves, vm),
        counts: Fate::ALL.map(|fate| (fate, count(fate))).into(),
        rows,
    })
}

fn title(vm: Vm) -> &'static str {
    match vm {
        Vm::Strict => "Strict VMs",
        Vm::Default => "Default VMs",
    }
}

fn note(moves: &Moves, vm: Vm) -> String {
    let c = moves.hosts_with(Handlers::C);
    match vm {
        Vm::Default => "Each host answers as the C handlers do.".to_owned(),
        Vm::Strict if c.is_empty() => "VMs are strict on all hosts.".to_owned(),
        Vm::Strict => format!(
            "VMs are strict on all hosts but those that keep the handlers in C: {}.",
            c.join(", ")
        ),
    }
}

/// What came of all moves, in a few sentences.
fn verdict(moves: &Moves, vm: Vm) -> String {
    let count = |is_meant: &dyn Fn(&crate::model::matrix::Cell, Vm) -> bool| {
        moves.count(|dump, host| is_meant(moves.cell(vm, dump, host), moves.kind_on(vm, host)))
    };
    let all = count(&|_, _| true);
    let accepted = count(&|cell, _| cell.accepted);
    let mut verdict = format!("{accepted} of {all} moves are accepted.");
    for kind in Vm::ALL {
        let moved = count(&|cell, on| on == kind && cell.accepted);
        let stranded = count(&|cell, on| on == kind && cell.back == Some(false));
        let otherwise = count(&|cell, on| on == kind && !cell.told_otherwise.is_empty());
        if moved == 0 {
            continue;
        }
        let kind = kind.name();
        verdict += &match (stranded, otherwise) {
            (0, 0) => format!(
                " A VM that is accepted as a {kind} one can always go back to where it came from, \
                 and its guest is told there what it was told before."
            ),
            _ => format!(
                " Of {moved} VMs that are accepted as {kind} ones, {stranded} cannot go back to \
                 where they came from, and the guests of {otherwise} are told something else about \
                 their firmware than before."
            ),
        };
    }
    verdict
}

fn host(host: &HostOffers) -> HostRow<'_> {
    let offer = |(id, _)| {
        let value = |offers: &Offers| {
            let found = offers.values().find(|(found, _)| *found == id);
            found.map_or("-".to_owned(), |(_, value)| registers::short(id, value))
        };
        let (visible, hidden) = (value(&host.offers), value(&host.ssbs_hidden));
        match visible == hidden {
            true => visible,
            false => format!("{visible} / {hidden}"),
        }
    };
    HostRow {
        name: &host.name,
        keeps_c: host.kernel == Handlers::C,
        about: &host.about,
        offers: COLUMNS.map(offer).into(),
    }
}

#[cfg(test)]
mod tests;
