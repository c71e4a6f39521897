// SPDX-License-Identifier: GPL-2.0

//! The answers for people.

use std::io::{Result, Write};

use planner::reason::Reason;
use planner::registers::{long, name, short, Id};
use planner::{Bound, Dumps, Hosts, Offered, Refused, Verdicts};

use crate::moves::Tally;

/// How many different offers are told where not all are asked for, and how many names.
pub const MOST: usize = 3;
const SOME_NAMES: usize = 4;

/// Tells about one dump, and those like it.
pub fn moves(
    out: &mut impl Write,
    hosts: &Hosts,
    dumps: &Dumps,
    verdicts: &Verdicts,
    all: bool,
) -> Result<()> {
    let like_it = dumps.names.iter().map(String::as_str);
    names(out, like_it, dumps.names.len(), all)?;
    let of = count(hosts.count(), "host");
    write!(out, ": accepted by {} of {of}", verdicts.hosts)?;
    if verdicts.hosts > 0 {
        write!(out, ": ")?;
        names(
            out,
            hosts.names(verdicts.accepted.ones()),
            verdicts.hosts,
            all,
        )?;
    }
    writeln!(out)?;
    for refusal in &verdicts.refusals {
        refused(out, hosts, refusal, all)?;
    }
    Ok(())
}

fn refused(out: &mut impl Write, hosts: &Hosts, refusal: &Refused, all: bool) -> Result<()> {
    let (id, reason) = (refusal.id, Reason::from(refusal.reason).text());
    writeln!(
        out,
        "  {} = {}: {reason}",
        name(id),
        long(id, refusal.value)
    )?;
    let mut left = refusal.hosts;
    for offered in &refusal.offers {
        offer(out, hosts, id, offered, all)?;
        left -= offered.hosts;
    }
    match refusal.different - refusal.offers.len() {
        0 => Ok(()),
        others => {
            let others = count(others, "other offer");
            writeln!(out, "    {others}: {}", count(left, "host"))
        }
    }
}

/// Tells who offers this.
pub fn offer(
    out: &mut impl Write,
    hosts: &Hosts,
    id: Id,
    offered: &Offered,
    all: bool,
) -> Result<()> {
    match offered.offer {
        Some(offer) => write!(out, "    offer {}: ", short(id, offer))?,
        None => write!(out, "    no such register: ")?,
    }
    write!(out, "{}: ", count(offered.hosts, "host"))?;
    names(out, hosts.names(hosts.members(offered)), offered.hosts, all)?;
    writeln!(out)
}

/// Tells how it went with all dumps.
pub fn tally(out: &mut impl Write, tally: &Tally) -> Result<()> {
    writeln!(
        out,
        "\n{} ({} different) to {} ({} different): {} of {} accepted, {} accepted nowhere",
        count(tally.dumps, "dump"),
        tally.different_dumps,
        count(tally.hosts, "host"),
        tally.different_hosts,
        tally.accepted,
        count(tally.dumps * tally.hosts, "move"),
        count(tally.nowhere, "dump")
    )
}

/// Tells what each line of a floor means, and where it comes from.
pub fn floor(out: &mut impl Write, hosts: &Hosts, floor: &[Bound]) -> Result<()> {
    for bound in floor {
        let id = bound.register.into();
        writeln!(out, "{} = {}", name(id), long(id, bound.promise))?;
        if bound.offers.len() > 1 {
            for offered in bound.offers {
                offer(out, hosts, id, offered, false)?;
            }
        }
    }
    Ok(())
}

/// Tells names, the first ones of that many if not all.
fn names<'a>(
    out: &mut impl Write,
    names: impl Iterator<Item = &'a str>,
    many: usize,
    all: bool,
) -> Result<()> {
    let told = if all { many } else { many.min(SOME_NAMES) };
    for (index, name) in names.take(told).enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        write!(out, "{comma}{name}")?;
    }
    match many - told {
        0 => Ok(()),
        more => write!(out, ", {more} more"),
    }
}

/// Names as text, the first ones if not all.
pub fn some<'a>(names: impl Iterator<Item = &'a str> + Clone, all: bool) -> String {
    let mut text = Vec::new();
    let many = names.clone().count();
    self::names(&mut text, names, many, all).expect("memory takes it");
    String::from_utf8(text).expect("names are text")
}

pub fn count(number: usize, what: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {what}{ending}")
}
