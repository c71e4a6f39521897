// SPDX-License-Identifier: GPL-2.0

//! What threads share, words and locks, and what belongs to one of them.
//!
//! Threads are played, either by [`crate::sim`], or by loom, which also plays the orders in which a
//! CPU may let them see each other's stores.

#[cfg(feature = "loom")]
mod loom;
#[cfg(not(feature = "loom"))]
mod plain;

#[cfg(feature = "loom")]
pub(crate) use loom::thread_local;
#[cfg(feature = "loom")]
pub use loom::{Atomic, RawMutex};

#[cfg(not(feature = "loom"))]
pub(crate) use plain::thread_local;
#[cfg(not(feature = "loom"))]
pub use plain::{Atomic, RawMutex};
