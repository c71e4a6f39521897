// SPDX-License-Identifier: GPL-2.0

//! Runs the kernel component in this process, beside a model of the laws that it has to keep.
//!
//! A [`trial`] makes two hosts with a VM each, and does to the VMs what an [`input`] says. Each
//! answer, and all that can be seen of a VM after each step, must be as the [`model`] says; some
//! [`laws`] are also looked at without it. The inputs come from libFuzzer (`make fuzz`), from the
//! corpus that it has found, or are random (`make check`).

mod act;
mod input;
mod kvm;
mod laws;
mod model;
mod shrink;
mod trial;
#[cfg(feature = "loom")]
pub mod weak;
mod words;

// Whatever shares something with other threads is loom's with that feature.
#[cfg(all(test, not(feature = "loom")))]
mod tests;

pub use input::Input;
pub use shrink::explain;
pub use trial::{trial, Failure, Reached};
