// SPDX-License-Identifier: GPL-2.0

//! Errors.

use crate::ffi::c_int;

/// An errno.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error(c_int);

pub type Result<T = (), E = Error> = core::result::Result<T, E>;

impl Error {
    /// The negative number that C expects.
    pub fn to_errno(self) -> c_int {
        -self.0
    }
}

/// The numbers are those of `errno-base.h`.
pub mod code {
    use super::Error;

    pub const ENOENT: Error = Error(2);
    pub const EFAULT: Error = Error(14);
    pub const EBUSY: Error = Error(16);
    pub const EINVAL: Error = Error(22);
}
