// SPDX-License-Identifier: GPL-2.0

//! The configuration of a VM, and the lock that guards it.

use core::ops::Deref;

use crate::{
    bindings,
    prelude::*,
    sync::{
        atomic::{
            ordering::Relaxed,
            Atomic, //
        },
        lock::{
            mutex::MutexBackend,
            Guard,
            Lock, //
        },
    }, //
};

use super::Vm;

/// A word of a VM's configuration, which userspace can set; and how it is told that it has not.
///
/// It is read without a lock, and written through [`Config`].
#[derive(Clone, Copy)]
pub struct Word<'a>(pub(super) Kind<'a>);

#[derive(Clone, Copy)]
pub(super) enum Kind<'a> {
    /// The word is 0 where it is not set.
    ZeroIfNotSet(&'a Atomic<u32>),
    /// The word is the value plus one, or 0 where it is not set, because 0 is a value.
    #[cfg_attr(not(CONFIG_KVM_ARM_FW_REGS_RUST), expect(dead_code))]
    PlusOne(&'a Atomic<u32>),
    /// The word has a value from the beginning.
    AlwaysSet(&'a Atomic<c_ulong>),
}

impl Word<'_> {
    /// The value, if it is set.
    #[inline]
    pub fn load(self) -> Option<u64> {
        match self.0 {
            Kind::ZeroIfNotSet(word) => match word.load(Relaxed) {
                0 => None,
                value => Some(value.into()),
            },
            Kind::PlusOne(word) => word.load(Relaxed).checked_sub(1).map(u64::from),
            Kind::AlwaysSet(word) => Some(word.load(Relaxed) as u64),
        }
    }
}

/// The configuration of a VM.
///
/// # Invariants
///
/// The `config_lock` of `self.0` is held.
pub struct Config<'a>(&'a Vm);

impl<'a> Config<'a> {
    /// The configuration of a VM whose `config_lock` C holds.
    ///
    /// # Safety
    ///
    /// The lock must be held for `'a`.
    #[inline]
    pub unsafe fn from_held(vm: &'a Vm) -> Self {
        // SAFETY: By the type invariant of `Vm` the lock is initialised.
        unsafe { bindings::mutex_assert_is_held(vm.config_lock()) };
        // INVARIANT: The caller guarantees that the lock is held.
        Self(vm)
    }

    /// The VM.
    #[inline]
    pub fn vm(&self) -> &'a Vm {
        self.0
    }

    /// Whether a vCPU of the VM has run.
    ///
    /// The answer holds until the lock is dropped: kvm_arch_vcpu_run_pid_change() sets the flag
    /// under it.
    #[inline]
    pub fn has_run(&self) -> bool {
        // SAFETY: By the type invariant of `Vm` it is valid. The flag is an atomic bit.
        unsafe { bindings::kvm_vm_has_ran_once(self.0 .0.get()) }
    }

    /// Sets a word of this VM; one of 32 bits takes as many.
    #[inline]
    pub fn set(&self, word: Word<'_>, value: u64) {
        match word.0 {
            Kind::ZeroIfNotSet(word) => word.store(value as u32, Relaxed),
            Kind::PlusOne(word) => word.store((value as u32).wrapping_add(1), Relaxed),
            Kind::AlwaysSet(word) => word.store(value as c_ulong, Relaxed),
        }
    }
}

impl Vm {
    /// Takes `config_lock`.
    ///
    /// It must not be held already, nor any lock that is taken inside of it.
    #[inline]
    pub fn lock_config(&self) -> ConfigGuard<'_> {
        // SAFETY: By the type invariant the lock is initialised. It lives as long as the VM.
        let lock = unsafe { Lock::<(), MutexBackend>::from_raw(self.config_lock()) };
        let guard = lock.lock();
        ConfigGuard {
            // INVARIANT: `guard` holds the lock.
            config: Config(self),
            _guard: guard,
        }
    }

    #[inline]
    fn config_lock(&self) -> *mut bindings::mutex {
        // SAFETY: By the type invariant the VM is valid; only the field's address is taken.
        unsafe { &raw mut (*self.0.get()).arch.config_lock }
    }
}

/// The configuration of a VM whose lock is held until this is dropped.
pub struct ConfigGuard<'a> {
    config: Config<'a>,
    _guard: Guard<'a, (), MutexBackend>,
}

impl<'a> Deref for ConfigGuard<'a> {
    type Target = Config<'a>;

    #[inline]
    fn deref(&self) -> &Self::Target {
        &self.config
    }
}
