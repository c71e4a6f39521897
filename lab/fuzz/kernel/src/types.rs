// SPDX-License-Identifier: GPL-2.0

//! Types.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

/// An object of C's.
#[repr(transparent)]
pub struct Opaque<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Opaque<T> {
    /// Where the object is.
    pub const fn get(&self) -> *mut T {
        self.0.get().cast()
    }
}
