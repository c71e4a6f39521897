// SPDX-License-Identifier: GPL-2.0

//! Bitmaps of hypercall services.

use core::cmp::Ordering;

/// A set of hypercall services, one bit each.
///
/// One set is less than another if it is a proper subset of it; sets of which neither contains the
/// other have no order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Services(u64);

impl Services {
    /// The services that a register value tells.
    pub const fn from_value(value: u64) -> Self {
        Self(value)
    }

    /// The register value.
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl PartialOrd for Services {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (self.0 & !other.0, other.0 & !self.0) {
            (0, 0) => Some(Ordering::Equal),
            (0, _) => Some(Ordering::Less),
            (_, 0) => Some(Ordering::Greater),
            (_, _) => None,
        }
    }
}

impl From<Services> for u64 {
    #[inline]
    fn from(services: Services) -> Self {
        services.value()
    }
}
