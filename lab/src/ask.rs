// SPDX-License-Identifier: GPL-2.0

//! Having hosts move VMs and run tests, and reading what they say.

pub mod engine;
pub mod guest;
pub mod journey;
pub mod ktap;
pub mod libtest;
pub mod migrate;
pub mod offers;
pub mod trace;
pub mod visit;
pub mod vmm;
