// SPDX-License-Identifier: GPL-2.0

//! User memory, which is that of [`crate::sim`].

use crate::error::{code::EFAULT, Result};
use crate::ffi::c_void;
use crate::sim;

/// An address of userspace's: any number.
#[derive(Clone, Copy)]
pub struct UserPtr(usize);

impl UserPtr {
    pub fn from_ptr(addr: *mut c_void) -> Self {
        Self(addr as usize)
    }

    pub fn from_addr(addr: usize) -> Self {
        Self(addr)
    }

    /// # Errors
    ///
    /// - [`EFAULT`]: the memory cannot be read.
    pub fn read_u64(self) -> Result<u64> {
        sim::user::read(self.0).ok_or(EFAULT)
    }

    /// # Errors
    ///
    /// - [`EFAULT`]: the memory cannot be written.
    pub fn write_u64(self, value: u64) -> Result {
        sim::user::write(self.0, value).ok_or(EFAULT)
    }
}

/// Some bytes of user memory, which is not looked at before it is read or written.
pub struct UserSlice {
    start: UserPtr,
    length: usize,
}

impl UserSlice {
    pub fn new(start: UserPtr, length: usize) -> Self {
        Self { start, length }
    }

    pub fn writer(self) -> UserSliceWriter {
        UserSliceWriter(self)
    }

    /// The address of the next eight bytes.
    fn next(&mut self) -> Result<usize> {
        let here = self.start.0;
        self.length = self.length.checked_sub(size_of::<u64>()).ok_or(EFAULT)?;
        self.start.0 = here.wrapping_add(size_of::<u64>());
        Ok(here)
    }
}

pub struct UserSliceWriter(UserSlice);

/// What can be written: words.
pub trait AsBytes {
    fn words(&self) -> &[u64];
}

impl AsBytes for u64 {
    fn words(&self) -> &[u64] {
        core::slice::from_ref(self)
    }
}

impl<const N: usize> AsBytes for [u64; N] {
    fn words(&self) -> &[u64] {
        self
    }
}

impl UserSliceWriter {
    /// # Errors
    ///
    /// - [`EFAULT`]: the memory cannot be written, or the slice is at its end.
    pub fn write<T: AsBytes>(&mut self, value: &T) -> Result {
        for word in value.words() {
            sim::user::write(self.0.next()?, *word).ok_or(EFAULT)?;
        }
        Ok(())
    }
}
