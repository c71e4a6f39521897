// SPDX-License-Identifier: GPL-2.0

//! The null promise: a register of a newer kernel that asks for nothing.
//!
//! A saved VM may hold a pseudo-register that this kernel does not know. If its value promises
//! nothing to the guest, a kernel without the register keeps that promise by ignoring it.

use super::register::{
    CLASS_MASK,
    FW,
    FW_FEAT_BMAP, //
};

/// The level of a register of the first class is in bits 3:0, a signed number.
const LEVEL_MASK: u64 = 0xf;
/// Set in a negative level.
const LEVEL_SIGN: u64 = 0x8;

/// Whether `value` promises nothing in a register that this kernel does not know.
///
/// In the class of the workarounds that is a level of 0 (unknown) or less (known to be worse) and
/// nothing else; in the class of the bitmaps, no service at all.
pub const fn promises_nothing(id: u64, value: u64) -> bool {
    match id & CLASS_MASK {
        FW => value == 0 || (value & !LEVEL_MASK == 0 && value & LEVEL_SIGN != 0),
        FW_FEAT_BMAP => value == 0,
        _ => false,
    }
}
