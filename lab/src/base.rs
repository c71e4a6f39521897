// SPDX-License-Identifier: GPL-2.0

//! What every other folder stands on: where things are, files, processes, errors, progress.

pub mod disk;
pub mod kernel;
pub mod process;
pub mod progress;
pub mod project;
pub mod version;

pub use planner::error;
