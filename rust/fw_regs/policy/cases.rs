// SPDX-License-Identifier: GPL-2.0

//! Tables of writes and their verdicts, for the tests on the build machine and in the kernel.

use super::{
    judge,
    Bitmap,
    Level,
    Promise,
    PsciVersion,
    Reason,
    Register,
    Services,
    Ssbd,
    View, //
};

use Reason::*;

/// A write to a register, and its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    register: Register,
    value: u64,
    psci_0_2: bool,
    view: View,
    /// What get returns after the write was accepted, or why it was refused.
    pub verdict: Result<u64, Reason>,
}

impl Case {
    /// Asks the policy.
    pub fn judged(&self) -> Result<u64, Reason> {
        let wanted = Promise::parse(self.register, self.value, self.psci_0_2)?;
        judge(wanted, &self.view)?;
        Ok(wanted.value())
    }
}

/// PSCI_VERSION: `psci(value, has the vCPU feature, verdict)`.
pub const PSCI_VERSION: &[Case] = &[
    psci(0x0_0001, false, Ok(0x0_0001)),
    psci(0x0_0001, true, Err(WrongFeature)),
    psci(0x0_0002, true, Ok(0x0_0002)),
    psci(0x0_0002, false, Err(WrongFeature)),
    psci(0x1_0000, true, Ok(0x1_0000)),
    psci(0x1_0000, false, Err(WrongFeature)),
    psci(0x1_0001, true, Ok(0x1_0001)),
    psci(0x1_0002, true, Ok(0x1_0002)),
    psci(0x1_0003, true, Ok(0x1_0003)),
    psci(0x1_0003, false, Err(WrongFeature)),
    psci(0, true, Err(Malformed)),
    psci(0, false, Err(Malformed)),
    psci(0x0_0003, true, Err(Malformed)),
    psci(0x1_0004, true, Err(Malformed)),
    psci(0x2_0000, true, Err(Malformed)),
    psci(0x1_0001_0000, true, Err(Malformed)),
    psci(u64::MAX, true, Err(Malformed)),
];

/// SMCCC_ARCH_WORKAROUND_1 and _3: `wa1(value, offer, verdict)`.
pub const WORKAROUND_1_3: &[Case] = &[
    wa1(0, Level::NotAvailable, Ok(0)),
    wa1(1, Level::NotAvailable, Err(ExceedsOffer)),
    wa1(2, Level::NotAvailable, Err(ExceedsOffer)),
    wa1(0, Level::Available, Ok(0)),
    wa1(1, Level::Available, Ok(1)),
    wa1(2, Level::Available, Err(ExceedsOffer)),
    wa1(0, Level::NotRequired, Ok(0)),
    wa1(1, Level::NotRequired, Ok(1)),
    wa1(2, Level::NotRequired, Ok(2)),
    wa1(3, Level::NotRequired, Err(Malformed)),
    wa1(0x10, Level::NotRequired, Err(Malformed)),
    wa1(1 << 32, Level::NotRequired, Err(Malformed)),
    wa1(u64::MAX, Level::NotRequired, Err(Malformed)),
    wa3(1, Level::NotAvailable, Err(ExceedsOffer)),
    wa3(1, Level::Available, Ok(1)),
    wa3(2, Level::Available, Err(ExceedsOffer)),
    wa3(2, Level::NotRequired, Ok(2)),
    wa3(15, Level::NotRequired, Err(Malformed)),
];

/// SMCCC_ARCH_WORKAROUND_2: `ssbd(value, offer, verdict)`.
pub const WORKAROUND_2: &[Case] = &[
    ssbd(0, Ssbd::NotAvailable, Ok(0)),
    ssbd(1, Ssbd::NotAvailable, Ok(0)),
    ssbd(2, Ssbd::NotAvailable, Err(ExceedsOffer)),
    ssbd(3, Ssbd::NotAvailable, Err(ExceedsOffer)),
    ssbd(0x12, Ssbd::NotAvailable, Err(ExceedsOffer)),
    ssbd(0, Ssbd::NotRequired, Ok(0)),
    ssbd(1, Ssbd::NotRequired, Ok(0)),
    ssbd(2, Ssbd::NotRequired, Ok(3)),
    ssbd(3, Ssbd::NotRequired, Ok(3)),
    ssbd(0x12, Ssbd::NotRequired, Ok(3)),
    ssbd(0x10, Ssbd::NotRequired, Err(Malformed)),
    ssbd(0x11, Ssbd::NotRequired, Err(Malformed)),
    ssbd(0x13, Ssbd::NotRequired, Err(Malformed)),
    ssbd(4, Ssbd::NotRequired, Err(Malformed)),
    ssbd(15, Ssbd::NotRequired, Err(Malformed)),
    ssbd(0x20, Ssbd::NotRequired, Err(Malformed)),
    ssbd(0x22, Ssbd::NotRequired, Err(Malformed)),
    ssbd(1 << 63, Ssbd::NotRequired, Err(Malformed)),
];

/// The bitmaps: `services(value, offer, promise, frozen, verdict)`.
pub const BITMAPS: &[Case] = &[
    services(0b000, 0b011, 0b011, false, Ok(0b000)),
    services(0b001, 0b011, 0b011, false, Ok(0b001)),
    services(0b011, 0b011, 0b000, false, Ok(0b011)),
    services(0b100, 0b011, 0b011, false, Err(ExceedsOffer)),
    services(0b111, 0b011, 0b011, false, Err(ExceedsOffer)),
    services(1 << 63, 0b011, 0b011, false, Err(ExceedsOffer)),
    services(0b001, 0b000, 0b000, false, Err(ExceedsOffer)),
    services(0b011, 0b011, 0b011, true, Ok(0b011)),
    services(0b000, 0b011, 0b000, true, Ok(0b000)),
    services(0b001, 0b011, 0b011, true, Err(Frozen)),
    services(0b011, 0b011, 0b001, true, Err(Frozen)),
    services(0b100, 0b011, 0b011, true, Err(ExceedsOffer)),
];

const fn psci(value: u64, psci_0_2: bool, verdict: Result<u64, Reason>) -> Case {
    let offer = Promise::Psci(PsciVersion::offer(psci_0_2));
    Case {
        register: Register::PsciVersion,
        value,
        psci_0_2,
        view: fresh(offer),
        verdict,
    }
}

const fn wa1(value: u64, offer: Level, verdict: Result<u64, Reason>) -> Case {
    workaround(Register::Workaround1, value, offer, verdict)
}

const fn wa3(value: u64, offer: Level, verdict: Result<u64, Reason>) -> Case {
    workaround(Register::Workaround3, value, offer, verdict)
}

const fn workaround(
    register: Register,
    value: u64,
    offer: Level,
    verdict: Result<u64, Reason>,
) -> Case {
    Case {
        register,
        value,
        psci_0_2: true,
        view: fresh(Promise::Workaround(offer)),
        verdict,
    }
}

const fn ssbd(value: u64, offer: Ssbd, verdict: Result<u64, Reason>) -> Case {
    Case {
        register: Register::Workaround2,
        value,
        psci_0_2: true,
        view: fresh(Promise::Ssbd(offer)),
        verdict,
    }
}

const fn services(
    value: u64,
    offer: u64,
    promise: u64,
    frozen: bool,
    verdict: Result<u64, Reason>,
) -> Case {
    Case {
        register: Register::Bitmap(Bitmap::VendorHyp),
        value,
        psci_0_2: true,
        view: View {
            offer: Promise::Services(Services::from_value(offer)),
            promise: Promise::Services(Services::from_value(promise)),
            frozen,
        },
        verdict,
    }
}

/// A VM that was not given anything yet.
const fn fresh(offer: Promise) -> View {
    View {
        offer,
        promise: offer,
        frozen: false,
    }
}
