// SPDX-License-Identifier: GPL-2.0

//! For threads that [`crate::sim`] plays: what one has stored, all see.

use core::cell::Cell;

use crate::sim;
use crate::sync::atomic::ordering::Relaxed;

pub(crate) use std::thread_local;

/// A word that several threads access.
pub struct Atomic<T>(Cell<T>);

impl<T: Copy> Atomic<T> {
    pub fn new(value: T) -> Self {
        Self(Cell::new(value))
    }

    pub fn load(&self, _: Relaxed) -> T {
        sim::access();
        self.0.get()
    }

    pub fn store(&self, value: T, _: Relaxed) {
        sim::access();
        self.0.set(value);
    }
}

impl Atomic<usize> {
    pub fn fetch_or(&self, bits: usize, _: Relaxed) {
        sim::access();
        self.0.set(self.0.get() | bits);
    }
}

/// A lock as C has it: who takes it gets no guard.
#[derive(Default)]
pub struct RawMutex {
    held: Cell<bool>,
}

impl RawMutex {
    pub fn lock(&self) {
        sim::access();
        if self.held.replace(true) {
            sim::violation("a lock is taken by the thread that holds it");
        }
    }

    pub fn is_held(&self) -> bool {
        self.held.get()
    }

    /// Returns whether it was held.
    pub fn unlock(&self) -> bool {
        self.held.replace(false)
    }
}
