// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::testing::{registers, NEWER, PSCI, STD, USUAL, WA2, WA3};
use crate::{Handlers, HostOffers, Kind, SavedVm};

const PSCI_0_1: Kind = Kind {
    psci_0_2: false,
    ..USUAL
};
const SSBS_HIDDEN: Kind = Kind {
    ssbs_visible: false,
    ..USUAL
};

/// Two hosts with equal offers, one that is worse where SSBS is hidden, and an old one.
fn hosts() -> Hosts {
    let host = |name: &str, values: &[(u64, u64)], hidden| {
        let (offers, hidden) = (registers(values), registers(&[(WA2, hidden)]));
        HostOffers::new(name, String::new(), Handlers::Rust, offers, hidden).unwrap()
    };
    let new = [(PSCI, 0x1_0003), (WA2, 0), (WA3, 2), (STD, 0b11)];
    let off = [(PSCI, 0x1_0003), (WA2, 0), (WA3, 0), (STD, 0b01)];
    let old = [(PSCI, 0x1_0000), (WA2, 0)];
    let hosts = vec![
        host("new", &new, 3),
        host("off", &off, 0),
        host("old", &old, 0),
        host("new-2", &new, 3),
    ];
    Hosts::new(hosts, &[USUAL, PSCI_0_1, SSBS_HIDDEN].into())
}

fn vm(kind: Kind, registers: &[(u64, u64)]) -> SavedVm {
    SavedVm {
        name: "vm".to_owned(),
        psci_0_2: kind.psci_0_2,
        ssbs_visible: kind.ssbs_visible,
        registers: crate::testing::registers(registers),
    }
}

/// The hosts that accept these registers, and why others do not.
fn ask(kind: Kind, registers: &[(u64, u64)], null_promises: bool) -> (String, String) {
    let hosts = hosts();
    let dumps = Dumps::group(vec![vm(kind, registers)]);
    let question = Question {
        null_promises,
        most: usize::MAX,
    };
    let moves = Verdicts::new(&hosts, &dumps[0], question);
    let refusals = moves.refusals.iter().flat_map(|refusal| {
        refusal.offers.iter().map(|offered| {
            format!(
                "{:?} {:?} {}",
                refusal.reason,
                offered.offer,
                Vec::from_iter(hosts.names(hosts.members(offered))).join(" ")
            )
        })
    });
    let accepted = Vec::from_iter(hosts.names(moves.accepted.ones())).join(" ");
    assert_eq!(moves.hosts, accepted.split_whitespace().count());
    (accepted, Vec::from_iter(refusals).join(", "))
}

#[test]
fn each_refusal_has_its_reason() {
    for (kind, register, accepted, refusals) in [
        (USUAL, (PSCI, 0x1_0000), "new new-2 off old", ""),
        (
            USUAL,
            (PSCI, 0x1_0003),
            "new new-2 off",
            "ExceedsOffer Some(65536) old",
        ),
        (
            USUAL,
            (PSCI, 1),
            "",
            "WrongFeature Some(65539) new new-2 off, WrongFeature Some(65536) old",
        ),
        (PSCI_0_1, (PSCI, 1), "new new-2 off old", ""),
        (
            PSCI_0_1,
            (PSCI, 0x1_0000),
            "",
            "WrongFeature Some(1) new new-2 off old",
        ),
        (
            USUAL,
            (WA2, 3),
            "",
            "ExceedsOffer Some(0) new new-2 off old",
        ),
        (
            SSBS_HIDDEN,
            (WA2, 3),
            "new new-2",
            "ExceedsOffer Some(0) off old",
        ),
        (USUAL, (WA3, 0), "new new-2 off", "UnknownRegister None old"),
        (
            USUAL,
            (WA3, 2),
            "new new-2",
            "ExceedsOffer Some(0) off, UnknownRegister None old",
        ),
        (
            USUAL,
            (WA3, 3),
            "",
            "Malformed Some(2) new new-2, Malformed Some(0) off, UnknownRegister None old",
        ),
        (
            USUAL,
            (STD, 0b10),
            "new new-2",
            "ExceedsOffer Some(1) off, UnknownRegister None old",
        ),
        (
            USUAL,
            (NEWER, 0),
            "",
            "UnknownRegister None new new-2 off old",
        ),
    ] {
        let told = ask(kind, &[register], false);
        assert_eq!(
            told,
            (accepted.to_owned(), refusals.to_owned()),
            "{kind:?} {register:x?}"
        );
    }
}

#[test]
fn null_promises_are_ignored_where_the_register_is_unknown() {
    for (register, accepted) in [
        ((WA3, 0), "new new-2 off old"),
        ((WA3, 1), "new new-2"),
        ((STD, 0), "new new-2 off old"),
        ((NEWER, 0), "new new-2 off old"),
        ((NEWER, 0xf), "new new-2 off old"),
        ((NEWER, 1), ""),
    ] {
        assert_eq!(ask(USUAL, &[register], true).0, accepted, "{register:x?}");
    }
}

#[test]
fn one_refused_register_is_enough() {
    let (accepted, refusals) = ask(USUAL, &[(PSCI, 0x1_0003), (WA3, 2)], false);
    assert_eq!(accepted, "new new-2");
    assert_eq!(
        refusals,
        "ExceedsOffer Some(65536) old, ExceedsOffer Some(0) off, UnknownRegister None old"
    );
}

#[test]
fn counts_are_of_all_where_few_offers_are_told() {
    let (hosts, dumps) = (hosts(), Dumps::group(vec![vm(USUAL, &[(WA3, 3)])]));
    let question = Question {
        null_promises: false,
        most: 1,
    };
    let moves = Verdicts::new(&hosts, &dumps[0], question);
    let told: Vec<_> = moves
        .refusals
        .iter()
        .map(|refusal| (refusal.hosts, refusal.different, refusal.offers.len()))
        .collect();
    assert_eq!(told, [(3, 2, 1), (1, 1, 1)]);
}
