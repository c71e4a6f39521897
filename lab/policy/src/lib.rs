// SPDX-License-Identifier: GPL-2.0

//! The acceptance policy, compiled for the build machine from the kernel component's own files.
//!
//! `policy.rs` and `policy/` beside this file are links to `rust/fw_regs/`.

#![no_std]

#[cfg(test)]
extern crate std;

use macros::{Into, TryFrom};

mod policy;
#[cfg(test)]
mod tests;

pub use policy::*;
