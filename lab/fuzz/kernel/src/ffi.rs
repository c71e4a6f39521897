// SPDX-License-Identifier: GPL-2.0

//! The kernel's C types, which are not those of userspace.

pub use core::ffi::{c_int, c_void};

/// As wide as a pointer, on each architecture of the kernel.
#[allow(non_camel_case_types)]
pub type c_ulong = usize;
