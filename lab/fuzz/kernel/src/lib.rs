// SPDX-License-Identifier: GPL-2.0

//! Stands for the `kernel` crate, so that the component runs in a process of this machine.
//!
//! [`kvm`] is the kernel's: `kvm.rs` and `kvm/` are links to `rust/kernel/`. What is below it is not:
//! the bindings, user memory, locks, atomics and tracepoints here are as small as the component
//! allows. Where the kernel would deadlock or sleep in the wrong place, [`sim`] takes a note.
//!
//! Threads are played by [`sim`], too: what another thread does happens in between two accesses of
//! this one, all at once, and is seen by this one at once. With the feature `loom` they are played by
//! loom, in which a store is seen as late as the memory model allows.

pub mod bindings;
pub mod error;
pub mod ffi;
pub mod kvm;
mod memory;
pub mod module;
pub mod prelude;
pub mod sim;
pub mod sync;
pub mod tracepoint;
pub mod types;
pub mod uaccess;

pub use macros;
pub use module::{Module, ThisModule};
