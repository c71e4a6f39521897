// SPDX-License-Identifier: GPL-2.0

//! The policy against its tables, and against what the UAPI says of ids and numbers.

mod properties;

use std::vec::Vec;

use crate::policy::cases::{self, Case};
use crate::policy::{Accepted, PsciVersion, Reason, Register};

fn check(cases: &[Case]) {
    for case in cases {
        assert_eq!(case.judged(), case.verdict, "{case:?}");
    }
}

#[test]
fn psci_version_table() {
    check(cases::PSCI_VERSION);
}

#[test]
fn workaround_1_3_table() {
    check(cases::WORKAROUND_1_3);
}

#[test]
fn workaround_2_table() {
    check(cases::WORKAROUND_2);
}

#[test]
fn bitmap_table() {
    check(cases::BITMAPS);
}

#[test]
fn frozen_table() {
    check(cases::FROZEN);
}

#[test]
fn null_promise_table() {
    for case in cases::NULL_PROMISES {
        assert_eq!(case.judged(), case.verdict, "{case:?}");
    }
}

#[test]
fn retention_table_has_every_register() {
    let told: Vec<Register> = cases::RETENTION.iter().map(|row| row.0).collect();
    assert_eq!(told, Register::ALL);
    for (register, default, strict) in cases::RETENTION {
        assert_eq!(register.retention(false), *default, "{register:?}");
        assert_eq!(register.retention(true), *strict, "{register:?}");
    }
}

#[test]
fn discovery_table() {
    for (register, promise, answer) in cases::DISCOVERY {
        assert_eq!(register.discovery(*promise), *answer, "{register:?}");
    }
}

#[test]
fn discovery_answers_are_ordered_as_promises_are() {
    // -1 is "not supported", -2 is "not required": the order of the numbers is not that of help.
    let rank = |answer: i32| [-1, 0, 1, -2].iter().position(|&n| n == answer);
    for (register, promises) in [
        (Register::Workaround1, &[0, 1, 2][..]),
        (Register::Workaround2, &[0, 3]),
        (Register::Workaround3, &[0, 1, 2]),
    ] {
        for pair in promises.windows(2) {
            assert!(register.fits(pair[0], pair[1]) && !register.fits(pair[1], pair[0]));
            assert!(rank(register.discovery(pair[0])) < rank(register.discovery(pair[1])));
        }
    }
}

#[test]
fn ids_are_those_of_the_uapi() {
    let ids: Vec<u64> = Register::ALL.into_iter().map(u64::from).collect();
    let uapi: Vec<u64> = (0..4)
        .map(|n| 0x6030_0000_0014_0000 + n)
        .chain((0..4).map(|n| 0x6030_0000_0016_0000 + n))
        .collect();
    assert_eq!(ids, uapi);
}

#[test]
fn ids_with_one_bit_changed_are_unknown_or_another_register() {
    for register in Register::ALL {
        let id = u64::from(register);
        assert_eq!(Register::try_from(id), Ok(register));
        for bit in 0..64 {
            let other = id ^ 1 << bit;
            let known = Register::ALL.into_iter().find(|&r| u64::from(r) == other);
            assert_eq!(Register::try_from(other), known.ok_or(other), "{other:#x}");
        }
    }
}

#[test]
fn ids_of_another_size_are_unknown() {
    for register in Register::ALL {
        for size in (0..16).filter(|&size| size != 3) {
            let id = u64::from(register) & !(0xf << 52) | size << 52;
            assert_eq!(Register::try_from(id), Err(id), "{id:#x}");
        }
    }
}

#[test]
fn names_are_distinct() {
    for (n, register) in Register::ALL.iter().enumerate() {
        let others = &Register::ALL[n + 1..];
        assert!(others.iter().all(|other| other.name() != register.name()));
    }
}

#[test]
fn bitmaps_fit_by_inclusion() {
    for value in 0..16_u64 {
        for offer in 0..16_u64 {
            let fits = (0..4).all(|bit| value >> bit & 1 <= offer >> bit & 1);
            for register in &Register::ALL[4..] {
                assert_eq!(register.fits(value, offer), fits, "{value:#b}, {offer:#b}");
            }
        }
    }
}

#[test]
fn the_newest_psci_version_is_the_best_of_the_feature() {
    for psci_0_2 in [false, true] {
        let all = (0..=0x2_0000).filter_map(|n| PsciVersion::parse(n, psci_0_2).ok());
        assert_eq!(all.max(), Some(PsciVersion::newest(psci_0_2)));
    }
}

#[test]
fn verdicts_have_the_numbers_of_the_trace_event() {
    let refused = [
        Reason::UnknownRegister,
        Reason::BadAddress,
        Reason::Malformed,
        Reason::WrongFeature,
        Reason::ExceedsOffer,
        Reason::Frozen,
    ];
    assert!(refused.map(u32::from).into_iter().eq(1..7));
    let accepted = [Accepted::Value, Accepted::NullPromise];
    assert_eq!(accepted.map(u32::from), [0, 7]);
}
