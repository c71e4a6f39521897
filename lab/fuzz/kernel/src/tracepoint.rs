// SPDX-License-Identifier: GPL-2.0

//! Tracepoints, all of them switched on.

/// Makes the function that leaves an event. What C does with it is in [`crate::bindings`].
#[macro_export]
macro_rules! declare_trace {
    ($($(#[$attribute:meta])* $vis:vis unsafe fn $name:ident($($argument:ident: $type:ty),* $(,)?);)*) => {$(
        $(#[$attribute])*
        $vis unsafe fn $name($($argument: $type),*) {
            // SAFETY: The caller guarantees what the function asks for.
            unsafe { $crate::bindings::$name($($argument),*) }
        }
    )*};
}

pub use declare_trace;
