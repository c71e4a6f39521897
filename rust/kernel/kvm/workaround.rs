// SPDX-License-Identifier: GPL-2.0

//! The workarounds of a VM. Only with `CONFIG_KVM_ARM_FW_REGS_RUST` a VM has room for them.

use crate::sync::atomic::Atomic;

use super::{
    config::Kind,
    smccc::Workaround,
    Vm,
    Word, //
};

impl Vm {
    /// The value that userspace has set for a workaround.
    #[inline]
    pub fn workaround(&self, which: Workaround) -> Word<'_> {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        let features = unsafe { &raw mut (*self.0.get()).arch.smccc_feat };
        // SAFETY: `features` points to the field of the VM; only an address in it is taken.
        let field = unsafe {
            match which {
                Workaround::One => &raw mut (*features).workaround[0],
                Workaround::Two => &raw mut (*features).workaround[1],
                Workaround::Three => &raw mut (*features).workaround[2],
            }
        };
        // SAFETY: The field lives as long as the VM and is aligned. Nothing but this accesses it.
        Word(Kind::PlusOne(unsafe { Atomic::from_ptr(field) }))
    }
}
