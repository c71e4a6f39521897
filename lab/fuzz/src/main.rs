// SPDX-License-Identifier: GPL-2.0

//! The fuzzer: libFuzzer makes inputs that reach new code, of the component or of the model.

#![no_main]

use fw_regs_fuzz::{shrink, trial, Input};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: Input| {
    if trial(&input).is_err() {
        if let Ok(failure) = shrink(input) {
            panic!("{failure}");
        }
    }
});
