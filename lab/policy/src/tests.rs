// SPDX-License-Identifier: GPL-2.0

//! The policy against its tables, against the rules as the UAPI states them, and against the laws
//! that hold for every value.

use core::cmp::Ordering;
use std::vec::Vec;

use proptest::prelude::*;

use crate::policy::cases::{self, Case};
use crate::policy::{
    judge, promises_nothing, Level, Mitigation, Promise, PsciVersion, Reason, Register, Services,
    Ssbd, View,
};

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
fn discovery_table() {
    for (promise, answer) in cases::DISCOVERY {
        assert_eq!(promise.discovery(), *answer, "{promise:?}");
    }
}

#[test]
fn discovery_answers_are_ordered_as_promises_are() {
    // -1 is "not supported", -2 is "not required": the order of the numbers is not that of help.
    let rank = |answer: Option<i32>| [-1, 0, 1, -2].iter().position(|&n| Some(n) == answer);
    let levels = Level::ALL.map(Promise::Workaround);
    let states = [Ssbd::NOT_AVAILABLE, Ssbd::NOT_REQUIRED].map(Promise::Ssbd);
    for promises in [&levels[..], &states[..]] {
        for (a, b) in promises.iter().zip(&promises[1..]) {
            assert!(a.within(*b) && !b.within(*a));
            assert!(rank(a.discovery()) < rank(b.discovery()));
        }
    }
}

#[test]
fn promises_are_read_from_their_values() {
    for version in PsciVersion::ALL {
        assert_eq!(PsciVersion::from_promise(version.value()), version);
    }
    for level in Level::ALL {
        assert_eq!(Level::from_promise(level.value()), level);
    }
    for ssbd in [Ssbd::NOT_AVAILABLE, Ssbd::NOT_REQUIRED] {
        assert_eq!(Ssbd::from_promise(ssbd.value()), ssbd);
    }
}

#[test]
fn ids_are_those_of_the_uapi() {
    let ids: Vec<u64> = Register::ALL.iter().map(|register| register.id()).collect();
    let uapi: Vec<u64> = (0..4)
        .map(|n| 0x6030_0000_0014_0000 + n)
        .chain((0..4).map(|n| 0x6030_0000_0016_0000 + n))
        .collect();
    assert_eq!(ids, uapi);
}

#[test]
fn ids_of_another_size_are_unknown() {
    for register in Register::ALL {
        assert_eq!(Register::from_id(register.id()), Some(register));
        for size in (0..16).filter(|&size| size != 3) {
            let id = register.id() & !(0xf << 52) | size << 52;
            assert_eq!(Register::from_id(id), None, "{id:#x}");
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
fn services_are_ordered_by_inclusion() {
    for a in 0..16_u64 {
        for b in 0..16_u64 {
            let order = match (a | b == b, a | b == a) {
                (true, true) => Some(Ordering::Equal),
                (true, false) => Some(Ordering::Less),
                (false, true) => Some(Ordering::Greater),
                (false, false) => None,
            };
            let (less, more) = (Services::from_value(a), Services::from_value(b));
            assert_eq!(less.partial_cmp(&more), order, "{a:#b}, {b:#b}");
        }
    }
}

#[test]
fn a_promise_becomes_its_value() {
    for version in PsciVersion::ALL {
        assert_eq!(u64::from(version), version.value());
    }
    for level in Level::ALL {
        assert_eq!(u64::from(level), level.value());
    }
    for ssbd in [Ssbd::NOT_AVAILABLE, Ssbd::NOT_REQUIRED] {
        assert_eq!(u64::from(ssbd), ssbd.value());
    }
    assert_eq!(u64::from(Services::from_value(0b101)), 0b101);
}

#[test]
fn offers_follow_the_host() {
    use Mitigation::{Mitigated, Unaffected, Vulnerable};

    assert_eq!(Level::offer(Vulnerable), Level::NOT_AVAILABLE);
    assert_eq!(Level::offer(Mitigated), Level::AVAILABLE);
    assert_eq!(Level::offer(Unaffected), Level::NOT_REQUIRED);

    assert_eq!(Ssbd::offer(Vulnerable, true), Ssbd::NOT_AVAILABLE);
    assert_eq!(Ssbd::offer(Vulnerable, false), Ssbd::NOT_AVAILABLE);
    assert_eq!(Ssbd::offer(Mitigated, true), Ssbd::NOT_AVAILABLE);
    assert_eq!(Ssbd::offer(Mitigated, false), Ssbd::NOT_REQUIRED);
    assert_eq!(Ssbd::offer(Unaffected, true), Ssbd::NOT_REQUIRED);
    assert_eq!(Ssbd::offer(Unaffected, false), Ssbd::NOT_REQUIRED);

    assert_eq!(PsciVersion::offer(false), PsciVersion::V0_1);
    assert_eq!(PsciVersion::offer(true), PsciVersion::V1_3);
}

#[test]
fn registers_of_different_kinds_do_not_compare() {
    let psci = Promise::Psci(PsciVersion::V0_2);
    let services = Promise::Services(Services::from_value(u64::MAX));
    assert!(!psci.within(services));
    assert!(!services.within(psci));
}

/// What the UAPI says of a write, on bare numbers: the narrowed value, or why it is refused.
fn specified(
    register: Register,
    value: u64,
    psci_0_2: bool,
    view: &View<Promise>,
) -> Result<u64, Reason> {
    let offer = view.offer.value();
    let narrowed = match register {
        Register::PsciVersion => match (value, psci_0_2) {
            (1, false) | (2 | 0x10000..=0x10003, true) => value,
            (1 | 2 | 0x10000..=0x10003, _) => return Err(Reason::WrongFeature),
            _ => return Err(Reason::Malformed),
        },
        Register::Workaround1 | Register::Workaround3 => match value {
            0..=2 => value,
            _ => return Err(Reason::Malformed),
        },
        Register::Workaround2 => match value {
            0 | 1 => 0,
            2 | 3 | 0x12 => 3,
            _ => return Err(Reason::Malformed),
        },
        Register::Bitmap(_) => value,
    };
    let exceeds = match register {
        Register::Bitmap(_) => narrowed & !offer != 0,
        _ => narrowed > offer,
    };
    match (narrowed == view.promise.value(), exceeds, view.frozen) {
        (true, _, _) | (false, false, false) => Ok(narrowed),
        (false, true, _) => Err(Reason::ExceedsOffer),
        (false, false, true) => Err(Reason::Frozen),
    }
}

fn judged(
    register: Register,
    value: u64,
    psci_0_2: bool,
    view: &View<Promise>,
) -> Result<u64, Reason> {
    let wanted = Promise::parse(register, value, psci_0_2)?;
    judge(wanted, view)?;
    Ok(wanted.value())
}

fn promise(register: Register) -> BoxedStrategy<Promise> {
    match register {
        Register::PsciVersion => prop::sample::select(&PsciVersion::ALL[..])
            .prop_map(Promise::Psci)
            .boxed(),
        Register::Workaround1 | Register::Workaround3 => prop::sample::select(&Level::ALL[..])
            .prop_map(Promise::Workaround)
            .boxed(),
        Register::Workaround2 => {
            prop::sample::select(&[Ssbd::NOT_AVAILABLE, Ssbd::NOT_REQUIRED][..])
                .prop_map(Promise::Ssbd)
                .boxed()
        }
        Register::Bitmap(_) => prop_oneof![0..8_u64, any::<u64>()]
            .prop_map(|bits| Promise::Services(Services::from_value(bits)))
            .boxed(),
    }
}

/// Values as userspace may send them: those near the meaningful ones, and any other.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..32_u64,
        0x0_fff0..0x1_0010_u64,
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..32_u64, 32..64_u32).prop_map(|(low, bit)| low | 1 << bit),
    ]
}

fn situation() -> impl Strategy<Value = (Register, u64, bool, View<Promise>)> {
    prop::sample::select(&Register::ALL[..]).prop_flat_map(|register| {
        let view = (promise(register), promise(register), any::<bool>()).prop_map(
            |(offer, promise, frozen)| View {
                offer,
                promise,
                frozen,
            },
        );
        (Just(register), value(), any::<bool>(), view)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_those_of_the_uapi((register, value, psci_0_2, view) in situation()) {
        prop_assert_eq!(
            judged(register, value, psci_0_2, &view),
            specified(register, value, psci_0_2, &view)
        );
    }

    #[test]
    fn the_value_read_back_can_be_written_again(
        (register, value, psci_0_2, view) in situation()
    ) {
        if let Ok(kept) = judged(register, value, psci_0_2, &view) {
            prop_assert_eq!(judged(register, kept, psci_0_2, &view), Ok(kept));
        }
    }

    #[test]
    fn a_register_takes_its_own_value((register, _, psci_0_2, view) in situation()) {
        let own = view.promise.value();
        if Promise::parse(register, own, psci_0_2) == Ok(view.promise) {
            prop_assert_eq!(judged(register, own, psci_0_2, &view), Ok(own));
        }
    }

    #[test]
    fn a_frozen_register_takes_no_other_value(
        (register, value, psci_0_2, mut view) in situation()
    ) {
        view.frozen = true;
        if let Ok(kept) = judged(register, value, psci_0_2, &view) {
            prop_assert_eq!(kept, view.promise.value());
        }
    }

    #[test]
    fn what_is_accepted_anew_is_within_the_offer(
        (register, value, psci_0_2, view) in situation()
    ) {
        let wanted = Promise::parse(register, value, psci_0_2);
        if let Some(wanted) = wanted.ok().filter(|wanted| judge(*wanted, &view).is_ok()) {
            prop_assert!(wanted == view.promise || wanted.within(view.offer));
        }
    }

    #[test]
    fn null_promises_are_those_of_the_uapi(
        class in prop::sample::select(&[0x6030_0000_0014, 0x6030_0000_0016, 0x6030_0000_0015, 0x6030_0000_1014][..]),
        number in any::<u16>(),
        value in value(),
    ) {
        // Bits 3:0 as a signed number.
        let level = ((value & 0xf) as i64) << 60 >> 60;
        let nothing = match class {
            0x6030_0000_0014_u64 => level <= 0 && value & !0xf == 0,
            0x6030_0000_0016 => value == 0,
            _ => false,
        };
        prop_assert_eq!(promises_nothing(class << 16 | u64::from(number), value), nothing);
    }

    #[test]
    fn a_better_host_keeps_what_a_worse_one_can(
        (register, value, psci_0_2, view) in situation()
    ) {
        let better = View { offer: view.promise, ..view };
        if view.offer.within(better.offer) && judged(register, value, psci_0_2, &view).is_ok() {
            prop_assert!(judged(register, value, psci_0_2, &better).is_ok());
        }
    }
}
