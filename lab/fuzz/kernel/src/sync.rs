// SPDX-License-Identifier: GPL-2.0

//! Locks and atomics.

pub mod atomic {
    pub use crate::memory::Atomic;

    pub mod ordering {
        pub struct Relaxed;
    }

    impl<T> Atomic<T> {
        /// The words of a VM are of this type already, not plain ones as in the kernel.
        ///
        /// # Safety
        ///
        /// `ptr` must be valid for `'a`.
        pub unsafe fn from_ptr<'a>(ptr: *mut Self) -> &'a Self {
            // SAFETY: The caller guarantees it.
            unsafe { &*ptr }
        }
    }
}

pub mod lock {
    use core::marker::PhantomData;

    use crate::bindings;

    /// A lock of C's, with what it guards.
    pub struct Lock<T, B> {
        mutex: bindings::mutex,
        _guards: PhantomData<(T, B)>,
    }

    impl Lock<(), mutex::MutexBackend> {
        /// # Safety
        ///
        /// `ptr` must point to an initialised mutex that lives for `'a`.
        pub unsafe fn from_raw<'a>(ptr: *mut bindings::mutex) -> &'a Self {
            // SAFETY: The caller guarantees it; beside the mutex there are only markers.
            unsafe { &*ptr.cast() }
        }
    }

    impl<T, B> Lock<T, B> {
        pub fn lock(&self) -> Guard<'_, T, B> {
            bindings::mutex_lock(&self.mutex);
            Guard(self)
        }
    }

    /// A lock that is held until this is dropped.
    pub struct Guard<'a, T, B>(&'a Lock<T, B>);

    impl<T, B> Drop for Guard<'_, T, B> {
        fn drop(&mut self) {
            bindings::mutex_unlock(&self.0.mutex);
        }
    }

    pub mod mutex {
        pub struct MutexBackend;
    }
}
