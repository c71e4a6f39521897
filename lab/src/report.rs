// SPDX-License-Identifier: GPL-2.0

//! What was found out, for people and for programs.

pub mod page;
pub mod terminal;
mod travels;
