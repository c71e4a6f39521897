// SPDX-License-Identifier: GPL-2.0

//! Modules.

use crate::error::Result;
use crate::sim;

/// Stands for the C struct of a module, of which nothing is used.
pub struct ThisModule;

pub trait Module: Sized {
    /// # Errors
    ///
    /// The module's own.
    fn init(module: &'static ThisModule) -> Result<Self>;
}

/// A parameter of a module, by its name on the kernel's command line.
pub struct Param<T> {
    #[doc(hidden)]
    pub name: &'static str,
    #[doc(hidden)]
    pub default: T,
}

impl Param<u8> {
    pub fn value(&self) -> u8 {
        sim::param(self.name).map_or(self.default, u8::from)
    }
}

/// Stands for the kernel's macro: makes a function of what the kernel calls at boot, and the
/// module's parameters.
#[macro_export]
macro_rules! module {
    (
        type: $type:ident,
        name: $name:literal,
        authors: $authors:expr,
        description: $description:literal,
        license: $license:literal,
        params: {$(
            $param:ident: $kind:ty { default: $default:expr, description: $about:literal, },
        )*},
    ) => {
        /// What the kernel does with the module at boot.
        ///
        /// # Errors
        ///
        /// Those of the module.
        pub fn init_module() -> $crate::error::Result {
            <$type as $crate::Module>::init(&$crate::ThisModule).map(drop)
        }

        #[allow(non_upper_case_globals)]
        mod module_parameters {
            $(pub(crate) static $param: $crate::module::Param<$kind> = $crate::module::Param {
                name: concat!($name, ".", stringify!($param)),
                default: $default,
            };)*
        }
    };
}

/// Says what the kernel would log.
#[macro_export]
macro_rules! pr_info {
    ($($message:tt)*) => { $crate::sim::log(format!($($message)*)) };
}
