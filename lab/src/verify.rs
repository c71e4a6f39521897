// SPDX-License-Identifier: GPL-2.0

//! The steps of `lab check`, and what verifies at length.

pub mod bench;
pub mod boots;
pub mod differential;
pub mod docs;
pub mod firmware;
pub mod format;
pub mod fuzz;
pub mod hosts;
pub mod id_regs;
pub mod kunit;
pub mod loom;
pub mod migrate;
pub mod msrv;
pub mod mutants;
pub mod offers;
pub mod prove;
pub mod report;
pub mod rust_vmm;
pub mod sample;
pub mod sanitize;
pub mod selftests;
pub mod shell;
pub mod sparse;
pub mod templates;
pub mod unit;
pub mod upstream;
