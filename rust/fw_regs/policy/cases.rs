// SPDX-License-Identifier: GPL-2.0

//! Tables of writes and their verdicts, for the tests on the build machine and in the kernel.

use super::{
    judge,
    promises_nothing,
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
    view: View<Promise>,
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
    wa1(0, Level::NOT_AVAILABLE, Ok(0)),
    wa1(1, Level::NOT_AVAILABLE, Err(ExceedsOffer)),
    wa1(2, Level::NOT_AVAILABLE, Err(ExceedsOffer)),
    wa1(0, Level::AVAILABLE, Ok(0)),
    wa1(1, Level::AVAILABLE, Ok(1)),
    wa1(2, Level::AVAILABLE, Err(ExceedsOffer)),
    wa1(0, Level::NOT_REQUIRED, Ok(0)),
    wa1(1, Level::NOT_REQUIRED, Ok(1)),
    wa1(2, Level::NOT_REQUIRED, Ok(2)),
    wa1(3, Level::NOT_REQUIRED, Err(Malformed)),
    wa1(0x10, Level::NOT_REQUIRED, Err(Malformed)),
    wa1(1 << 32, Level::NOT_REQUIRED, Err(Malformed)),
    wa1(u64::MAX, Level::NOT_REQUIRED, Err(Malformed)),
    wa3(1, Level::NOT_AVAILABLE, Err(ExceedsOffer)),
    wa3(1, Level::AVAILABLE, Ok(1)),
    wa3(2, Level::AVAILABLE, Err(ExceedsOffer)),
    wa3(2, Level::NOT_REQUIRED, Ok(2)),
    wa3(15, Level::NOT_REQUIRED, Err(Malformed)),
];

/// SMCCC_ARCH_WORKAROUND_2: `ssbd(value, offer, verdict)`.
pub const WORKAROUND_2: &[Case] = &[
    ssbd(0, Ssbd::NOT_AVAILABLE, Ok(0)),
    ssbd(1, Ssbd::NOT_AVAILABLE, Ok(0)),
    ssbd(2, Ssbd::NOT_AVAILABLE, Err(ExceedsOffer)),
    ssbd(3, Ssbd::NOT_AVAILABLE, Err(ExceedsOffer)),
    ssbd(0x12, Ssbd::NOT_AVAILABLE, Err(ExceedsOffer)),
    ssbd(0, Ssbd::NOT_REQUIRED, Ok(0)),
    ssbd(1, Ssbd::NOT_REQUIRED, Ok(0)),
    ssbd(2, Ssbd::NOT_REQUIRED, Ok(3)),
    ssbd(3, Ssbd::NOT_REQUIRED, Ok(3)),
    ssbd(0x12, Ssbd::NOT_REQUIRED, Ok(3)),
    ssbd(0x10, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(0x11, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(0x13, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(4, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(15, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(0x20, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(0x22, Ssbd::NOT_REQUIRED, Err(Malformed)),
    ssbd(1 << 63, Ssbd::NOT_REQUIRED, Err(Malformed)),
];

/// The bitmaps: `services(value, offer, promise, verdict)`.
pub const BITMAPS: &[Case] = &[
    services(0b000, 0b011, 0b011, Ok(0b000)),
    services(0b001, 0b011, 0b011, Ok(0b001)),
    services(0b011, 0b011, 0b000, Ok(0b011)),
    services(0b100, 0b011, 0b011, Err(ExceedsOffer)),
    services(0b111, 0b011, 0b011, Err(ExceedsOffer)),
    services(1 << 63, 0b011, 0b011, Err(ExceedsOffer)),
    services(0b001, 0b000, 0b000, Err(ExceedsOffer)),
];

/// VMs that have run: `frozen(write, promise)`. The offer is that of the write.
pub const FROZEN: &[Case] = &[
    frozen(psci(0x1_0003, true, Ok(0x1_0003)), PSCI_1_3),
    frozen(psci(0x1_0003, true, Err(Frozen)), PSCI_1_0),
    frozen(psci(0x1_0000, true, Ok(0x1_0000)), PSCI_1_0),
    frozen(psci(0x1_0000, true, Err(Frozen)), PSCI_1_3),
    frozen(psci(0x0_0001, true, Err(WrongFeature)), PSCI_1_3),
    frozen(psci(0x1_0004, true, Err(Malformed)), PSCI_1_3),
    frozen(wa1(1, Level::NOT_REQUIRED, Ok(1)), LEVEL_1),
    frozen(wa1(2, Level::NOT_REQUIRED, Err(Frozen)), LEVEL_1),
    frozen(wa1(0, Level::NOT_REQUIRED, Err(Frozen)), LEVEL_1),
    frozen(wa1(2, Level::AVAILABLE, Err(ExceedsOffer)), LEVEL_1),
    frozen(wa3(1, Level::AVAILABLE, Ok(1)), LEVEL_1),
    frozen(wa3(0, Level::AVAILABLE, Err(Frozen)), LEVEL_1),
    // A CPU that came online late took from the offer.
    frozen(wa1(1, Level::NOT_AVAILABLE, Ok(1)), LEVEL_1),
    frozen(wa1(2, Level::NOT_AVAILABLE, Err(ExceedsOffer)), LEVEL_1),
    frozen(ssbd(3, Ssbd::NOT_REQUIRED, Ok(3)), SSBD_3),
    frozen(ssbd(2, Ssbd::NOT_REQUIRED, Ok(3)), SSBD_3),
    frozen(ssbd(0x12, Ssbd::NOT_REQUIRED, Ok(3)), SSBD_3),
    frozen(ssbd(0, Ssbd::NOT_REQUIRED, Err(Frozen)), SSBD_3),
    frozen(ssbd(1, Ssbd::NOT_REQUIRED, Err(Frozen)), SSBD_3),
    frozen(ssbd(4, Ssbd::NOT_REQUIRED, Err(Malformed)), SSBD_3),
    frozen(services(0b011, 0b011, 0b011, Ok(0b011)), BITS_3),
    frozen(services(0b001, 0b011, 0b011, Err(Frozen)), BITS_3),
    frozen(services(0b000, 0b011, 0b011, Err(Frozen)), BITS_3),
    frozen(services(0b100, 0b011, 0b011, Err(ExceedsOffer)), BITS_3),
];

const PSCI_1_0: Promise = Promise::Psci(PsciVersion::V1_0);
const PSCI_1_3: Promise = Promise::Psci(PsciVersion::V1_3);
const LEVEL_1: Promise = Promise::Workaround(Level::AVAILABLE);
const SSBD_3: Promise = Promise::Ssbd(Ssbd::NOT_REQUIRED);
const BITS_3: Promise = Promise::Services(Services::from_value(0b011));

/// What a guest that asks for a workaround is told: `(promise, answer)`.
pub const DISCOVERY: &[(Promise, Option<i32>)] = &[
    (Promise::Workaround(Level::NOT_AVAILABLE), Some(-1)),
    (Promise::Workaround(Level::AVAILABLE), Some(0)),
    (Promise::Workaround(Level::NOT_REQUIRED), Some(1)),
    (Promise::Ssbd(Ssbd::NOT_AVAILABLE), Some(-1)),
    (Promise::Ssbd(Ssbd::NOT_REQUIRED), Some(-2)),
    (PSCI_1_3, None),
    (BITS_3, None),
];

/// A write to a register that this kernel does not know.
#[derive(Clone, Copy, Debug)]
pub struct NullCase {
    id: u64,
    value: u64,
    /// Whether it promises nothing.
    pub verdict: bool,
}

impl NullCase {
    /// Asks the policy.
    pub fn judged(&self) -> bool {
        promises_nothing(self.id, self.value)
    }
}

/// The null promise: `null(id, value, verdict)`.
pub const NULL_PROMISES: &[NullCase] = &[
    null(0x6030_0000_0014_0004, 0, true),
    null(0x6030_0000_0014_0004, 0b1000, true),
    null(0x6030_0000_0014_0004, 0b1111, true),
    null(0x6030_0000_0014_0004, 0b0001, false),
    null(0x6030_0000_0014_0004, 0b0111, false),
    null(0x6030_0000_0014_0004, 0b1_0000, false),
    null(0x6030_0000_0014_0004, 0b1_1111, false),
    null(0x6030_0000_0014_0004, 1 << 63 | 0b1111, false),
    null(0x6030_0000_0014_0004, u64::MAX, false),
    null(0x6030_0000_0014_ffff, 0b1111, true),
    null(0x6030_0000_0016_0004, 0, true),
    null(0x6030_0000_0016_0004, 1, false),
    null(0x6030_0000_0016_0004, 0b1111, false),
    null(0x6030_0000_0016_0004, 1 << 63, false),
    null(0x6030_0000_0016_ffff, 0, true),
    // Another class, another size, another architecture.
    null(0x6030_0000_0015_0004, 0, false),
    null(0x6030_0000_1014_0000, 0, false),
    null(0x6030_0000_f016_0000, 0, false),
    null(0x6020_0000_0014_0004, 0, false),
    null(0x6040_0000_0016_0004, 0, false),
    null(0x4030_0000_0014_0004, 0, false),
    null(0x6030_0001_0014_0004, 0, false),
];

const fn null(id: u64, value: u64, verdict: bool) -> NullCase {
    NullCase { id, value, verdict }
}

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

const fn services(value: u64, offer: u64, promise: u64, verdict: Result<u64, Reason>) -> Case {
    Case {
        register: Register::Bitmap(Bitmap::VendorHyp),
        value,
        psci_0_2: true,
        view: View {
            offer: Promise::Services(Services::from_value(offer)),
            promise: Promise::Services(Services::from_value(promise)),
            frozen: false,
        },
        verdict,
    }
}

const fn frozen(case: Case, promise: Promise) -> Case {
    Case {
        view: View {
            offer: case.view.offer,
            promise,
            frozen: true,
        },
        ..case
    }
}

/// A VM that was not given anything yet.
const fn fresh(offer: Promise) -> View<Promise> {
    View {
        offer,
        promise: offer,
        frozen: false,
    }
}
