// SPDX-License-Identifier: GPL-2.0

//! The fuzzer: libFuzzer makes inputs that reach new code, of the component or of the model.

#![no_main]

use fw_regs_fuzz::{explain, trial, Input};
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: {
        // libfuzzer-sys aborts at each panic. Those of the component are told as failures.
        std::panic::set_hook(Box::new(|_| ()));
    },
    |input: Input| {
        if trial(&input).is_err() {
            eprintln!("{}", explain(input));
            std::process::abort();
        }
    }
);
