// SPDX-License-Identifier: GPL-2.0

//! Runs inputs of the fuzzer from files, without the fuzzer: `replay FILE...`.

use std::process::ExitCode;

use arbitrary::{Arbitrary, Unstructured};
use fw_regs_fuzz::{explain, trial, Input};

fn main() -> ExitCode {
    // A panic of the component's is told as a failure.
    std::panic::set_hook(Box::new(|_| ()));
    let mut status = ExitCode::SUCCESS;
    for file in std::env::args_os().skip(1) {
        let shown = file.to_string_lossy();
        let bytes = match std::fs::read(&file) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("error: {shown}: {error}");
                return ExitCode::FAILURE;
            }
        };
        let Ok(input) = Input::arbitrary_take_rest(Unstructured::new(&bytes)) else {
            continue;
        };
        if trial(&input).is_err() {
            eprintln!("{shown}: {}", explain(input));
            status = ExitCode::FAILURE;
        }
    }
    status
}
