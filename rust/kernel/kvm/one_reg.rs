// SPDX-License-Identifier: GPL-2.0

//! Access to single registers with `KVM_GET_ONE_REG` and `KVM_SET_ONE_REG`.
//!
//! C header: [`include/uapi/linux/kvm.h`](srctree/include/uapi/linux/kvm.h).

use crate::{
    bindings,
    uaccess::UserPtr, //
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

    /// Where the value is in user memory.
    #[inline]
    pub fn addr(&self) -> UserPtr {
        UserPtr::from_addr(self.0.addr as usize)
    }
}
