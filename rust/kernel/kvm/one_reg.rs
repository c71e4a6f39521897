// SPDX-License-Identifier: GPL-2.0

//! Access to single registers with `KVM_GET_ONE_REG` and `KVM_SET_ONE_REG`.
//!
//! C header: [`include/uapi/linux/kvm.h`](srctree/include/uapi/linux/kvm.h).

use crate::{
    bindings,
    prelude::*, //
};

/// A register that userspace gets or sets, and where the value is in its memory
/// (`struct kvm_one_reg`).
#[repr(transparent)]
pub struct OneReg(bindings::kvm_one_reg);

impl OneReg {
    /// Makes a reference to a register access from a pointer.
    ///
    /// # Safety
    ///
    /// `ptr` must be valid for reads for `'a`, and nobody may write to the pointee meanwhile.
    #[inline]
    pub unsafe fn from_raw<'a>(ptr: *const bindings::kvm_one_reg) -> &'a Self {
        // SAFETY: `ptr` is valid for reads for `'a`, and `Self` is a transparent wrapper.
        unsafe { &*ptr.cast() }
    }

    /// The C side's struct.
    #[inline]
    pub fn as_raw(&self) -> *const bindings::kvm_one_reg {
        &self.0
    }

    /// The register's id. The size of its value is a part of it.
    #[inline]
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Whether the id says that the value has 8 bytes.
    #[inline]
    pub fn is_u64(&self) -> bool {
        self.0.id & bindings::KVM_REG_SIZE_MASK == bindings::KVM_REG_SIZE_U64
    }

    /// Reads a value of 8 bytes from user memory.
    ///
    /// # Errors
    ///
    /// - [`EFAULT`]: the memory cannot be read.
    // `get_user()` is one load, where a `UserSlice` calls for a copy of any length.
    #[inline]
    pub fn read(&self) -> Result<u64> {
        let mut value = 0;
        // SAFETY: `value` is valid for writes. Any address will do, as it is checked.
        match unsafe { bindings::kvm_get_user_u64(&mut value, self.0.addr as *const u64) } {
            0 => Ok(value),
            _ => Err(EFAULT),
        }
    }

    /// Writes a value of 8 bytes to user memory.
    ///
    /// # Errors
    ///
    /// - [`EFAULT`]: the memory cannot be written.
    #[inline]
    pub fn write(&self, value: u64) -> Result {
        // SAFETY: Any address will do, as it is checked.
        match unsafe { bindings::kvm_put_user_u64(value, self.0.addr as *mut u64) } {
            0 => Ok(()),
            _ => Err(EFAULT),
        }
    }
}
