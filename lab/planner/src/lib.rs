// SPDX-License-Identifier: GPL-2.0

//! Plans for fleets: which hosts a saved VM can move to, and which promises all hosts can keep.
//!
//! Every verdict is that of the kernel's own policy, on a VM that has not run yet. It is the same for
//! strict VMs and default ones, but strict VMs alone have for sure what was accepted.
//!
//! What is equal is judged once: hosts by their offers, dumps by their registers, and each register
//! by the offers that are made for it. Nothing is kept for a pair of a dump and a host.
//!
//! A crate of its own, so that it is optimised where the rest of the lab is not.

pub mod check;
mod dumps;
pub mod error;
pub mod files;
mod fleet;
mod floor;
mod gate;
mod hosts;
mod lines;
pub mod matrix;
mod offers;
mod pins;
pub mod reason;
pub mod registers;
mod template;
#[cfg(test)]
mod testing;
mod verdicts;

pub use dumps::{Dumps, Kind, SavedVm};
pub use fleet::{Hosts, Offered};
pub use floor::{floor, Bound, NoFloor};
pub use gate::{Between, Cause, Gate, Kinds, Losses, Lost, LostMoves};
pub use hosts::{Handlers, HostOffers};
pub use lines::Registers;
pub use offers::Offers;
pub use pins::{pins, tell, Left, Reader, Told, Why};
pub use template::template;
pub use verdicts::{Question, Refused, Verdicts};
