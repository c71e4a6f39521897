// SPDX-License-Identifier: GPL-2.0

//! What a host can boot.

use std::fmt;

use clap::ValueEnum;
use serde::Deserialize;

use crate::base::version::Version;
pub use planner::Handlers;

/// A kernel of ours, one with the component that is configured otherwise, or Debian's own of a
/// series, which has the handlers in C.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Kernel {
    Ours(Handlers),
    Variant(Variant),
    Debian(Version),
}

/// What `lab/data/variants/` configures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// KASAN, UBSAN, kmemleak, lockdep, Rust's own checks, and faults that can be injected.
    Kasan,
    /// KCSAN.
    Kcsan,
    /// `PREEMPT_RT`.
    Rt,
    /// Pages of 16 KiB.
    #[serde(rename = "16k")]
    #[value(name = "16k")]
    Pages16k,
    /// Pages of 64 KiB.
    #[serde(rename = "64k")]
    #[value(name = "64k")]
    Pages64k,
}

impl Variant {
    pub fn name(self) -> &'static str {
        match self {
            Self::Kasan => "kasan",
            Self::Kcsan => "kcsan",
            Self::Rt => "rt",
            Self::Pages16k => "16k",
            Self::Pages64k => "64k",
        }
    }
}

impl Kernel {
    /// Who serves its pseudo-registers.
    pub fn handlers(self) -> Handlers {
        match self {
            Self::Ours(handlers) => handlers,
            Self::Variant(_) => Handlers::Rust,
            Self::Debian(_) => Handlers::C,
        }
    }

    /// How much memory a host needs for it at least, in MiB.
    pub fn memory(self) -> u32 {
        match self {
            // For what it knows of each byte.
            Self::Variant(Variant::Kasan) => 1024,
            _ => 0,
        }
    }
}

impl From<Variant> for Kernel {
    fn from(variant: Variant) -> Self {
        Self::Variant(variant)
    }
}

impl From<Handlers> for Kernel {
    fn from(handlers: Handlers) -> Self {
        Self::Ours(handlers)
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(handlers) => f.write_str(handlers.name()),
            Self::Variant(variant) => f.write_str(variant.name()),
            Self::Debian(series) => write!(f, "debian-{series}"),
        }
    }
}

impl TryFrom<String> for Kernel {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let mut ours = Handlers::ALL.into_iter();
        if let Some(handlers) = ours.find(|handlers| handlers.name() == text) {
            return Ok(Self::Ours(handlers));
        }
        let series = text.strip_prefix("debian-").map(str::parse);
        match series {
            Some(Ok(series)) => Ok(Self::Debian(series)),
            _ => Err(format!("`{text}` is not `rust`, `c` or like `debian-6.12`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_named_as_it_is_read() {
        for name in ["rust", "c", "debian-6.12", "debian-7.3"] {
            let kernel = Kernel::try_from(name.to_owned()).unwrap();
            assert_eq!(kernel.to_string(), name);
            assert_eq!(kernel.handlers() == Handlers::Rust, name == "rust");
        }
        for name in ["", "debian", "debian-", "debian-x", "6.12", "Rust"] {
            assert!(Kernel::try_from(name.to_owned()).is_err(), "{name}");
        }
    }
}
