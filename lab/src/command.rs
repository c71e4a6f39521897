// SPDX-License-Identifier: GPL-2.0

//! The commands: each is a list of stages, in the order in which they happen.

pub mod check;
pub mod jobs;
pub mod matrix;
pub mod migrate;
pub mod run;
pub mod sanitize;
pub mod series_check;
pub mod shell;
