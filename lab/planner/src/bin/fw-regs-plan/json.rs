// SPDX-License-Identifier: GPL-2.0

//! The answers for programs: JSON Lines, one object for each different dump.
//!
//! ```text
//! {"dumps": ["vm-1"], "hosts": 3, "accepted": 2, "accepted_by": ["h1", "h2"], "refusals": [
//!   {"register": "0x6030000000140003", "value": "0x2", "reason": "exceeds the offer", "hosts": 1,
//!    "different_offers": 1, "offers": [{"offer": "0x1", "hosts": 1, "refused_by": ["h3"]}]}]}
//! ```
//!
//! and of `may-move`:
//!
//! ```text
//! {"dumps": ["vm-1"], "may_move": true, "strict_may_come_back": true, "default_may_come_back": false,
//!   "losses": [{"vm": "default", "way": "come-back", "register": "0x6030000000140003",
//!   "value": "0x2", "reason": "exceeds the offer", "offer": "0x1", "to": ["h3"], "back_to": ["h1"]}]}
//! ```
//!
//! `vm` is `any` where both kinds lose it alike. Whether a VM may come back is null
//! where no host of before accepts it.
//!
//! `accepted_by` and `refused_by` are there, and `offers` has more than the most common ones, where
//! all was asked for. `offer` is null where the host does not know the register.

use std::io::{Result, Write};

use planner::reason::Reason;
use planner::registers::json;
use planner::{Dumps, Hosts, Kinds, Lost, Offered, Verdicts};
use serde::{Serialize, Serializer};

use crate::gate::Way;

#[derive(Serialize)]
struct Line<'a> {
    dumps: &'a [String],
    hosts: usize,
    accepted: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    accepted_by: Option<Vec<&'a str>>,
    refusals: Vec<RefusalLine<'a>>,
}

#[derive(Serialize)]
struct RefusalLine<'a> {
    #[serde(with = "json")]
    register: u64,
    #[serde(with = "json")]
    value: u64,
    reason: Reason,
    hosts: usize,
    different_offers: usize,
    offers: OfferLines<'a>,
}

#[derive(Serialize)]
struct OfferLine<'a> {
    #[serde(with = "json::optional")]
    offer: Option<u64>,
    hosts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused_by: Option<Vec<&'a str>>,
}

/// Written as they come: there may be as many as hosts.
struct OfferLines<'a> {
    hosts: &'a Hosts,
    offers: &'a [&'a Offered],
    all: bool,
}

pub fn moves(
    out: &mut impl Write,
    hosts: &Hosts,
    dumps: &Dumps,
    verdicts: &Verdicts,
    all: bool,
) -> Result<()> {
    let refusals = verdicts.refusals.iter().map(|refusal| RefusalLine {
        register: refusal.id,
        value: refusal.value,
        reason: refusal.reason.into(),
        hosts: refusal.hosts,
        different_offers: refusal.different,
        offers: OfferLines {
            hosts,
            offers: &refusal.offers,
            all,
        },
    });
    let line = Line {
        dumps: &dumps.names,
        hosts: hosts.count(),
        accepted: verdicts.hosts,
        accepted_by: all.then(|| hosts.names(verdicts.accepted.ones()).collect()),
        refusals: refusals.collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}

impl Serialize for OfferLines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let names = |offered| self.hosts.names(self.hosts.members(offered)).collect();
        serializer.collect_seq(self.offers.iter().map(|offered| OfferLine {
            offer: offered.offer,
            hosts: offered.hosts,
            refused_by: self.all.then(|| names(offered)),
        }))
    }
}

#[derive(Serialize)]
struct LostLine<'a> {
    dumps: &'a [String],
    may_move: bool,
    strict_may_come_back: Option<bool>,
    default_may_come_back: Option<bool>,
    losses: Vec<LossLine<'a>>,
}

#[derive(Serialize)]
struct LossLine<'a> {
    vm: Kinds,
    way: Way,
    #[serde(with = "json")]
    register: u64,
    #[serde(with = "json")]
    value: u64,
    reason: Reason,
    #[serde(with = "json::optional")]
    offer: Option<u64>,
    to: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    back_to: Vec<&'a str>,
}

/// What VMs lose by an update that are equal.
pub fn lost(
    out: &mut impl Write,
    (from, to): (&Hosts, &Hosts),
    dumps: &Dumps,
    lost: &Lost,
) -> Result<()> {
    let moves = lost.moves.iter().flat_map(|moves| {
        let offers = moves.offers.iter();
        offers.map(|(offer, groups)| LossLine {
            vm: Kinds::Any,
            way: Way::Move,
            register: moves.id,
            value: moves.value,
            reason: moves.reason,
            offer: *offer,
            to: to.names(groups.iter().copied()).collect(),
            back_to: Vec::new(),
        })
    });
    let back = lost.ways_back().map(|(kinds, cause, between)| LossLine {
        vm: kinds,
        way: Way::ComeBack,
        register: cause.id,
        value: cause.value,
        reason: cause.reason,
        offer: cause.offer,
        to: to.names(between.to.ones()).collect(),
        back_to: from.names(between.back_to.ones()).collect(),
    });
    let line = LostLine {
        dumps: &dumps.names,
        may_move: lost.moves.is_empty(),
        strict_may_come_back: (!lost.homeless).then_some(lost.strict_back.is_empty()),
        default_may_come_back: (!lost.homeless).then_some(lost.default_back.is_empty()),
        losses: moves.chain(back).collect(),
    };
    serde_json::to_writer(&mut *out, &line)?;
    writeln!(out)
}
