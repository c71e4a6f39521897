// SPDX-License-Identifier: GPL-2.0

//! What the lab speaks of: hosts, registers, dumps, what hosts answered, and results.

pub mod answer;
pub mod deviations;
pub mod discovery;
pub mod dump;
#[cfg(test)]
pub mod example;
pub mod fleet;
pub mod groups;
pub mod hosts;
pub mod mistakes;
pub mod moves;
pub mod reason;
pub mod registers;
pub mod results;
pub mod stream;
pub mod vectors;
