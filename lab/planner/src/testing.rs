// SPDX-License-Identifier: GPL-2.0

//! What the tests are about: hosts and VMs in a line.

use fw_regs_policy::Register;

use crate::{Dumps, Handlers, HostOffers, Kind, Registers, SavedVm};

pub const PSCI: u64 = Register::PsciVersion.id();
pub const WA1: u64 = Register::Workaround1.id();
pub const WA2: u64 = Register::Workaround2.id();
pub const WA3: u64 = Register::Workaround3.id();
pub const STD: u64 = Register::StdBmap.id();
pub const VENDOR_2: u64 = Register::VendorHypBmap2.id();
/// A register that the policy does not know.
pub const NEWER: u64 = WA3 + 1;

pub const USUAL: Kind = Kind {
    psci_0_2: true,
    ssbs_visible: true,
};

/// A host that offers all VMs the same.
pub fn host(name: &str, kernel: Handlers, offers: &[(u64, u64)]) -> HostOffers {
    let (offers, hidden) = (registers(offers), Registers::default());
    HostOffers::new(name, String::new(), kernel, offers, hidden).unwrap()
}

pub fn registers(values: &[(u64, u64)]) -> Registers {
    Registers::new(values.iter().copied()).unwrap()
}

/// One VM of the usual kind.
pub fn vm(values: &[(u64, u64)]) -> Dumps {
    Dumps::group(vec![SavedVm::new("vm", registers(values))]).remove(0)
}
