// SPDX-License-Identifier: GPL-2.0

//! What an update takes from VMs, as a table for people.

use std::io::{Result, Write};

use comfy_table::presets::NOTHING;
use comfy_table::Table;
use fixedbitset::FixedBitSet;
use planner::reason::Reason;
use planner::registers::{long, name, short};
use planner::Hosts;

use crate::gate::{self, Losers, Row, Tally, Value, Way};
use crate::text;

pub fn lost(
    out: &mut impl Write,
    (from, to): (&Hosts, &Hosts),
    lost: &gate::Table,
    tally: &Tally,
) -> Result<()> {
    let all = lost.all;
    if !lost.rows.is_empty() {
        let mut table = Table::new();
        table.load_preset(NOTHING);
        table.set_header(["VMs", "kind", "may no longer", "because"]);
        for (row, losers) in &lost.rows {
            table.add_row([
                text::some(losers.vms.iter().copied(), all),
                row.kinds.name().to_owned(),
                way(row.way, (from, to), losers, all),
                because(row, losers, all),
            ]);
        }
        writeln!(out, "{}\n", table.trim_fmt())?;
    }
    self::tally(out, (from, to), tally)
}

fn way(way: Way, (from, to): (&Hosts, &Hosts), losers: &Losers, all: bool) -> String {
    let names = |hosts: &Hosts, groups: &FixedBitSet| text::some(hosts.names(groups.ones()), all);
    let (to, back_to) = (names(to, &losers.to), names(from, &losers.back_to));
    match way {
        Way::Move => format!("move to {to}"),
        Way::ComeBack => format!("come back from {to} to {back_to}"),
    }
}

fn because(row: &Row, losers: &Losers, all: bool) -> String {
    let (id, reason) = (row.id, row.reason.text());
    let value = match row.value {
        Value::This(value) => long(id, value),
        Value::Others => "other values".to_owned(),
    };
    let offers: Vec<String> = losers
        .offers
        .iter()
        .flatten()
        .map(|it| short(id, *it))
        .collect();
    let offers = match row.reason {
        Reason::ExceedsOffer => text::some(offers.iter().map(String::as_str), all),
        _ => String::new(),
    };
    let text = format!("{} = {value}: {reason} {offers}", name(id));
    text.trim_end().to_owned()
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
