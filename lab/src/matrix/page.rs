// SPDX-License-Identifier: GPL-2.0

//! `matrix.html`: one page with all that it needs, made from what `matrix.json` holds. All texts
//! are made here, so that the page's script has only to show and hide them.

mod detail;
mod difference;
mod incident;
mod moves;
mod state;

use anyhow::Result;
use askama::Template;
use planner::Offers;

use crate::deviations::Deviation;
use crate::fleet::matrix::Matrix;
use crate::fleet::HostOffers;
use crate::project::Handlers;
use crate::registers::{self, COLUMNS};
use detail::Details;
use difference::Difference;
use moves::Moves;
use state::State;

#[derive(Template)]
#[template(path = "matrix.html")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    dumps: Vec<&'a str>,
    /// How many of them were not saved on the hosts.
    field: usize,
    hosts: Vec<Host<'a>>,
    kernels: Vec<Kernel<'a>>,
    /// How many moves do not end the same.
    differing: usize,
    details: Vec<String>,
    differences: Vec<Difference>,
    incident: Option<String>,
    columns: Vec<(&'static str, String)>,
    legend: String,
}

struct Host<'a> {
    name: &'a str,
    about: &'a str,
    keeps_c: bool,
    offers: Vec<String>,
}

/// What one kernel did.
struct Kernel<'a> {
    name: &'static str,
    title: String,
    note: String,
    verdict: String,
    counts: Vec<(State, usize)>,
    rows: Vec<Row<'a>>,
}

/// Where a VM went.
struct Row<'a> {
    dump: &'a str,
    /// The first of those that were not saved on these hosts.
    first_of_field: bool,
    cells: Vec<Cell>,
}

struct Cell {
    state: State,
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
    let mut kernels = Vec::new();
    for handlers in Handlers::ALL {
        kernels.push(kernel(&moves, handlers, deviations, &mut details)?);
    }
    let page = Page {
        style: include_str!("../../templates/matrix.css"),
        script: include_str!("../../templates/matrix.js"),
        dumps: moves.dumps.clone(),
        field: (0..moves.dumps.len())
            .filter(|dump| !moves.is_from_host(*dump))
            .count(),
        hosts: matrix.hosts.iter().map(host).collect(),
        differing: moves.count(|dump, host| moves.differ(dump, host)),
        kernels,
        details: details.texts(),
        differences: difference::all(&moves, deviations),
        incident: incident::tell(matrix, &moves)?,
        columns: COLUMNS
            .map(|(id, title)| (title, registers::name(id)))
            .into(),
        legend: registers::LEGEND.replace('\n', " "),
    };
    Ok(page.render()?)
}

fn kernel<'a>(
    moves: &Moves<'a>,
    handlers: Handlers,
    deviations: &[Deviation],
    details: &mut Details,
) -> Result<Kernel<'a>> {
    let mut rows: Vec<Row> = Vec::new();
    for (dump, name) in moves.dumps.iter().enumerate() {
        let cell = |(host, target): (usize, &&str)| {
            let state = moves.state(handlers, dump, host);
            let differs = moves.differ(dump, host);
            let other = if differs {
                "; otherwise with the other kernel"
            } else {
                ""
            };
            Ok(Cell {
                state,
                differs,
                detail: details.number(moves, deviations, dump, host)?,
                label: format!("{name} to {target}: {}{other}", state.word()),
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

    let count = |state| moves.count(|dump, host| moves.state(handlers, dump, host) == state);
    Ok(Kernel {
        name: handlers.name(),
        title: title(handlers),
        note: note(moves, handlers),
        verdict: verdict(moves, handlers),
        counts: State::ALL.map(|state| (state, count(state))).into(),
        rows,
    })
}

fn title(handlers: Handlers) -> String {
    format!("Handlers in {}", handlers.label())
}

fn note(moves: &Moves, handlers: Handlers) -> String {
    let c = moves.hosts_with(Handlers::C);
    match handlers {
        Handlers::C => "All hosts have them.".to_owned(),
        Handlers::Rust if c.is_empty() => "All hosts have them.".to_owned(),
        Handlers::Rust => format!(
            "All hosts have them, but for those that keep C: {}.",
            c.join(", ")
        ),
    }
}

/// What came of all moves, in a few sentences.
fn verdict(moves: &Moves, handlers: Handlers) -> String {
    let count = |is_meant: &dyn Fn(&crate::fleet::matrix::Cell, Handlers) -> bool| {
        moves.count(|dump, host| {
            is_meant(moves.cell(handlers, dump, host), moves.runs(handlers, host))
        })
    };
    let all = count(&|_, _| true);
    let accepted = count(&|cell, _| cell.accepted);
    let mut verdict = format!("{accepted} of {all} moves are accepted.");
    for kernel in [Handlers::Rust, Handlers::C] {
        let moved = count(&|cell, runs| runs == kernel && cell.accepted);
        let stranded = count(&|cell, runs| runs == kernel && cell.back == Some(false));
        let otherwise = count(&|cell, runs| runs == kernel && !cell.told_otherwise.is_empty());
        if moved == 0 {
            continue;
        }
        let label = kernel.label();
        verdict += &match (stranded, otherwise) {
            (0, 0) => format!(
                " A VM that a host with the handlers in {label} accepts can always go back to where \
                 it came from, and its guest is told there what it was told before."
            ),
            _ => format!(
                " Of {moved} VMs that hosts with the handlers in {label} accept, {stranded} cannot \
                 go back to where they came from, and the guests of {otherwise} are told something \
                 else about their firmware than before."
            ),
        };
    }
    verdict
}

fn host(host: &HostOffers) -> Host<'_> {
    let offer = |(id, _)| {
        let value = |offers: &Offers| {
            let found = offers.values().find(|(found, _)| *found == id);
            found.map_or("-".to_owned(), |(_, value)| registers::short(id, value))
        };
        let (visible, hidden) = (value(&host.host.offers), value(&host.host.ssbs_hidden));
        match visible == hidden {
            true => visible,
            false => format!("{visible} / {hidden}"),
        }
    };
    Host {
        name: &host.host.name,
        keeps_c: host.kernel == Handlers::C,
        about: &host.about,
        offers: COLUMNS.map(offer).into(),
    }
}

#[cfg(test)]
mod tests;
