// SPDX-License-Identifier: GPL-2.0

//! What must hold of what was found out.

pub mod agreement;
pub mod differences;
pub mod laws;
pub mod travels;
