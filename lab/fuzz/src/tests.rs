// SPDX-License-Identifier: GPL-2.0

//! The fuzzer's corpus, and random sequences.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;

use crate::{shrink, trial, Input};

/// The trial that bytes make, if they are enough for one.
fn run(bytes: &[u8]) {
    let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(bytes)) else {
        return;
    };
    if trial(&input).is_err() {
        match shrink(input) {
            Ok(failure) => panic!("{failure}"),
            Err(_) => panic!("it fails once, and then it does not"),
        }
    }
}

proptest! {
    // The failure is shrunk as a trial, not as bytes.
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
