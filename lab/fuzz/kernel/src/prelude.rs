// SPDX-License-Identifier: GPL-2.0

//! What the kernel's files import with `*`.

pub use crate::error::{code::*, Error, Result};
pub use crate::ffi::{c_int, c_ulong, c_void};
pub use crate::{module, pr_info, ThisModule};
pub use macros::export;
