// SPDX-License-Identifier: GPL-2.0

//! What the lab speaks of: hosts, registers, dumps, what hosts answered, and results.

pub mod answer;
pub mod deviations;
pub mod discovery;
pub mod dump;
#[cfg(test)]
pub mod example;
pub mod heard;
pub mod hosts;
pub mod journeys;
pub mod mistakes;
pub mod moves;
pub mod page;
pub mod results;
pub mod stream;
pub mod travels;
pub mod vectors;

pub use planner::{matrix, reason, registers};
