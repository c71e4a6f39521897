// SPDX-License-Identifier: GPL-2.0

//! What is built: the tree, kernels, selftests, firmware.

pub mod firmware;
pub mod kernel;
pub mod prepare;
pub mod selftests;
pub mod tree;
pub mod vmm;
