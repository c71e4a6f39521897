// SPDX-License-Identifier: GPL-2.0

//! The fuzzer's corpus, and random sequences.

mod races;

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;

use crate::{explain, trial, Input, Reached};

/// The inputs that `lab fuzz --keep` has kept: one a line, in hexadecimal.
const CORPUS: &str = include_str!("../corpus.txt");

/// Runs the trial that bytes make, if they are enough for one.
fn run(bytes: &[u8]) -> Reached {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return Reached::default();
    };
    trial(&input).unwrap_or_else(|_| panic!("{}", explain(input)))
}

#[test]
fn the_corpus_keeps_the_laws() {
    let mut all = Reached::default();
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let reached = run(&hex::decode(line).expect("hexadecimal digits"));
        for (all, reached) in all.verdicts.iter_mut().zip(reached.verdicts) {
            *all |= reached;
        }
        for (all, reached) in all.kinds.iter_mut().zip(reached.kinds) {
            *all |= reached;
        }
        for (all, reached) in all.enabled.iter_mut().zip(reached.enabled) {
            *all |= reached;
        }
        all.returned |= reached.returned;
        all.overtaken[0] |= reached.overtaken[0];
        all.overtaken[1] |= reached.overtaken[1];
    }
    // One that gets nowhere keeps the laws, too.
    assert_eq!(all.verdicts, [true; 8], "each verdict");
    assert_eq!(all.kinds, [true; 2], "both kinds of VM");
    assert_eq!(all.enabled, [true; 2], "the capability refused and enabled");
    assert!(all.returned, "a move there and back");
    assert_eq!(all.overtaken, [true; 2], "threads in both orders");
}

#[test]
fn the_component_says_at_boot_that_it_is_there() {
    const NAME: &str = "kvm_arm_fw_regs.strict";
    for (param, vms) in [
        (None, "VMs are strict on request"),
        (Some((NAME, false)), "VMs are strict on request"),
        (Some((NAME, true)), "every VM is strict"),
    ] {
        kernel::sim::reset();
        kernel::sim::set_param(param);
        assert_eq!(fw_regs::init_module(), Ok(()));
        let line = format!("firmware pseudo-registers served by Rust, {vms}\n");
        assert_eq!(kernel::sim::take_log(), [line]);
    }

    // Where KVM does not work it has nothing to say.
    kernel::sim::set_kvm(false);
    assert_eq!(fw_regs::init_module(), Ok(()));
    assert!(kernel::sim::take_log().is_empty());
}

#[test]
fn a_change_of_ssbs_without_the_lock_is_noticed() {
    kernel::sim::reset();
    let mut vm = kernel::bindings::kvm::new(true, 1, false);
    // SAFETY: The VM lives. That the lock is not held is what the test is about.
    unsafe { fw_regs::kvm_arm_fw_reg_allow_ssbs(&mut vm, 0) };
    let violation = "a lock is not held that has to be";
    assert_eq!(kernel::sim::take_violation(), Some(violation));
}

proptest! {
    // A failure is shrunk as a trial, not as bytes.
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        max_shrink_iters: 0,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_sequences_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        run(&bytes);
    }
}
