// SPDX-License-Identifier: GPL-2.0

//! Modules.

use crate::error::Result;

/// Stands for the C struct of a module, of which nothing is used.
pub struct ThisModule;

pub trait Module: Sized {
    /// # Errors
    ///
    /// The module's own.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// Stands for the kernel's macro: makes a function of what the kernel calls at boot.
#[macro_export]
macro_rules! module {
    (type: $type:ident, $($key:ident: $value:expr),* $(,)?) => {
        /// What the kernel does with the module at boot.
        ///
        /// # Errors
        ///
        /// Those of the module.
        pub fn init_module() -> $crate::error::Result {
            <$type as $crate::Module>::init(&$crate::ThisModule).map(drop)
        }
    };
}

/// Says what the kernel would log.
#[macro_export]
macro_rules! pr_info {
    ($($message:tt)*) => { $crate::sim::log(format!($($message)*)) };
}
