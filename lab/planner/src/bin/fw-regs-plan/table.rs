// SPDX-License-Identifier: GPL-2.0

//! What an update takes from VMs, as a table for people.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use comfy_table::presets::NOTHING;
use comfy_table::Table;
use planner::reason::Reason;
use planner::registers::{long, name, short};
use planner::{Cause, Hosts};

use crate::gate::{Losers, Row, Tally, Way};
use crate::text;

pub fn lost(
    out: &mut impl Write,
    (from, to): (&Hosts, &Hosts),
    rows: &BTreeMap<Row, Losers>,
    tally: &Tally,
    all: bool,
) -> Result<()> {
    if !rows.is_empty() {
        let mut table = Table::new();
        table.load_preset(NOTHING);
        table.set_header(["VMs", "kind", "may no longer", "because"]);
        for (row, losers) in rows {
            let kinds = match row.kinds[..] {
                [kind] => kind,
                _ => "any",
            };
            table.add_row([
                text::some(losers.vms.iter().copied(), all),
                kinds.to_owned(),
                way(row.way, (from, to), losers, all),
                because(&row.cause),
            ]);
        }
        writeln!(out, "{}\n", table.trim_fmt())?;
    }
    self::tally(out, (from, to), tally)
}

fn way(way: Way, (from, to): (&Hosts, &Hosts), losers: &Losers, all: bool) -> String {
    let names = |hosts: &Hosts, groups: &[usize]| text::some(hosts.names(groups), all);
    let to = names(to, &Vec::from_iter(losers.to.iter().copied()));
    let back_to = names(from, &Vec::from_iter(losers.back_to.iter().copied()));
    match way {
        Way::Move => format!("move to {to}"),
        Way::ComeBack => format!("come back from {to} to {back_to}"),
    }
}

fn because(cause: &Cause) -> String {
    let (id, reason) = (cause.id, cause.reason.text());
    let write = format!("{} = {}: {reason}", name(id), long(id, cause.value));
    match (cause.reason, cause.offer) {
        (Reason::ExceedsOffer, Some(offer)) => format!("{write} {}", short(id, offer)),
        _ => write,
    }
}

fn tally(out: &mut impl Write, (from, to): (&Hosts, &Hosts), tally: &Tally) -> Result<()> {
    let Tally {
        stay,
        strict_stay_away,
        default_stay_away,
        homeless,
        ..
    } = tally;
    let vms = text::count(tally.vms, "VM");
    if homeless + stay + strict_stay_away + default_stay_away == 0 {
        let (from, to) = (
            text::count(from.count(), "host"),
            text::count(to.count(), "host"),
        );
        return writeln!(
            out,
            "{vms}: all may move from {from} to {to}, and come back"
        );
    }
    writeln!(
        out,
        "{vms}: {stay} may no longer move everywhere; {strict_stay_away} could not come back if \
         strict, {default_stay_away} if default"
    )?;
    match homeless {
        0 => Ok(()),
        _ => writeln!(
            out,
            "{} accepted by no host of --from: whether they can come back cannot be told",
            text::count(*homeless, "VM")
        ),
    }
}
