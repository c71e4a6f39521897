// SPDX-License-Identifier: GPL-2.0

use super::*;
use crate::testing::{host, vm, PSCI, STD, VENDOR_2, WA1, WA2, WA3};
use crate::Handlers;

type Fleet<'a> = &'a [(&'a str, &'a [(u64, u64)])];

fn fleet(hosts: Fleet, kernel: Handlers) -> Vec<HostOffers> {
    let host = |(name, offers): &(&str, &[(u64, u64)])| host(name, kernel, offers);
    hosts.iter().map(host).collect()
}

struct Question<'a> {
    from: Fleet<'a>,
    to: Fleet<'a>,
    kernel: Handlers,
    null_promises: bool,
}

/// What is lost: moves, and the way back of a strict and of a default VM.
fn lost(question: &Question, registers: &[(u64, u64)]) -> [String; 3] {
    let dumps = vm(registers);
    let Question {
        from,
        to,
        kernel,
        null_promises,
    } = *question;
    let (from, to) = (fleet(from, kernel), fleet(to, kernel));
    let mut gate = Gate::new(from, to, &[dumps.kind].into(), null_promises);
    let lost = gate.judge(&dumps, usize::MAX);
    let (from, to) = gate.hosts();
    let names =
        |hosts: &Hosts, groups: &FixedBitSet| Vec::from_iter(hosts.names(groups.ones())).join("+");
    let cause = |id, value: u64, offer: Option<u64>| {
        let offer = offer.map_or("-".to_owned(), |offer| format!("{offer:x}"));
        format!("{}={value:x}>{offer}", crate::registers::name(id))
    };
    let moves = lost.moves.iter().flat_map(|moves| {
        let offers = moves.offers.iter();
        offers.map(|(offer, groups)| {
            let groups: FixedBitSet = groups.iter().copied().collect();
            assert!(groups.is_subset(&moves.to));
            format!(
                "{} {}",
                cause(moves.id, moves.value, *offer),
                names(to, &groups)
            )
        })
    });
    let back = |losses: &Losses| {
        let losses = losses.iter().map(|(it, between)| {
            let (to, back) = (names(to, &between.to), names(from, &between.back_to));
            format!("{} {to}/{back}", cause(it.id, it.value, it.offer))
        });
        Vec::from_iter(losses).join(", ")
    };
    let moves = Vec::from_iter(moves).join(", ");
    [moves, back(&lost.strict_back), back(&lost.default_back)]
}

const BETTER: &[(u64, u64)] = &[(WA1, 2), (WA3, 2)];
const WORSE: &[(u64, u64)] = &[(WA1, 2), (WA3, 1)];

#[test]
fn a_vm_that_was_promised_more_can_move_no_longer() {
    let question = Question {
        from: &[("h1", BETTER), ("h2", BETTER), ("h3", WORSE)],
        to: &[("h1", WORSE), ("h2", WORSE), ("h3", WORSE)],
        kernel: Handlers::Rust,
        null_promises: false,
    };
    // It could never move to h3.
    let moves = "SMCCC_ARCH_WORKAROUND_3=2>1 h1+h2";
    assert_eq!(lost(&question, BETTER), [moves, "", ""]);
    assert_eq!(lost(&question, WORSE), ["", "", ""]);

    let question = Question {
        to: &[("h1", BETTER), ("new", WORSE)],
        ..question
    };
    let moves = "SMCCC_ARCH_WORKAROUND_3=2>1 new";
    assert_eq!(lost(&question, BETTER), [moves, "", ""]);
}

#[test]
fn a_default_vm_comes_back_with_what_it_was_shown() {
    let question = Question {
        from: &[("h1", WORSE), ("h2", WORSE), ("h3", BETTER)],
        to: &[("h1", BETTER), ("h3", BETTER)],
        kernel: Handlers::Rust,
        null_promises: false,
    };
    // Not from h3, which has always done so.
    let back = "SMCCC_ARCH_WORKAROUND_3=2>1 h1/h1+h2";
    assert_eq!(lost(&question, WORSE), ["", "", back]);
    // Such a VM has been on h3 only.
    assert_eq!(lost(&question, BETTER), ["", "", ""]);

    let question = Question {
        kernel: Handlers::C,
        ..question
    };
    assert_eq!(lost(&question, WORSE), ["", back, back]);
}

#[test]
fn all_causes_are_told() {
    let question = Question {
        from: &[("old", &[(PSCI, 0x1_0001), (WA2, 0), (WA3, 1)])],
        to: &[(
            "new",
            &[
                (PSCI, 0x1_0003),
                (WA2, 3),
                (WA3, 2),
                (STD, 1),
                (VENDOR_2, 3),
            ],
        )],
        kernel: Handlers::Rust,
        null_promises: false,
    };
    let values = [(PSCI, 0x1_0001), (WA2, 1), (WA3, 1)];
    let unknown = "STD_BMAP=1>- new/old, VENDOR_HYP_BMAP_2=0>- new/old";
    let forgotten = "SMCCC_ARCH_WORKAROUND_2=3>0 new/old, SMCCC_ARCH_WORKAROUND_3=2>1 new/old";
    let default = format!("{forgotten}, {unknown}");
    assert_eq!(lost(&question, &values), ["", unknown, &default]);

    let question = Question {
        null_promises: true,
        ..question
    };
    let unknown = "STD_BMAP=1>- new/old";
    let default = format!("{forgotten}, {unknown}");
    assert_eq!(lost(&question, &values), ["", unknown, &default]);

    // Who came with it, and has it there, was never on the old host.
    let vm = vm(&[(PSCI, 0x1_0001), (STD, 1)]);
    let gate = |from| {
        let to = fleet(question.to, Handlers::Rust);
        Gate::new(fleet(from, Handlers::Rust), to, &[vm.kind].into(), true).judge(&vm, usize::MAX)
    };
    assert_eq!(
        gate(question.from),
        Lost {
            homeless: true,
            ..Lost::default()
        }
    );
    assert!(!gate(&[("with", &[(PSCI, 0x1_0001), (STD, 1)])]).homeless);
}

#[test]
fn what_is_lost_on_the_way_there_is_no_loss_on_the_way_back() {
    let question = Question {
        from: &[("a", WORSE)],
        to: &[("b", &[(WA1, 1), (WA3, 2)])],
        kernel: Handlers::Rust,
        null_promises: false,
    };
    let moves = "SMCCC_ARCH_WORKAROUND_1=2>1 b";
    assert_eq!(lost(&question, WORSE), [moves, "", ""]);
}
