// SPDX-License-Identifier: GPL-2.0

//! Tables of writes and their verdicts, for the tests on the build machine and in the kernel.

use super::{
    judge,
    promises_nothing,
    PsciVersion,
    Reason,
    Register,
    Retention,
    State, //
};

use Reason::*;

/// A write to a register of a strict VM, and its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    register: Register,
    value: u64,
    psci_0_2: bool,
    state: State,
    /// What get returns after the write was accepted, or why it was refused.
    pub verdict: Result<u64, Reason>,
}

impl Case {
    /// Asks the policy.
    pub fn judged(&self) -> Result<u64, Reason> {
        let value = self.register.parse(self.value, self.psci_0_2)?;
        let retention = self.register.retention(true);
        judge(self.register, retention, value, &self.state)?;
        Ok(value)
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
    wa1(0, 0, Ok(0)),
    wa1(1, 0, Err(ExceedsOffer)),
    wa1(2, 0, Err(ExceedsOffer)),
    wa1(0, 1, Ok(0)),
    wa1(1, 1, Ok(1)),
    wa1(2, 1, Err(ExceedsOffer)),
    wa1(0, 2, Ok(0)),
    wa1(1, 2, Ok(1)),
    wa1(2, 2, Ok(2)),
    wa1(3, 2, Err(Malformed)),
    wa1(0x10, 2, Err(Malformed)),
    wa1(1 << 32, 2, Err(Malformed)),
    wa1(u64::MAX, 2, Err(Malformed)),
    wa3(1, 0, Err(ExceedsOffer)),
    wa3(1, 1, Ok(1)),
    wa3(2, 1, Err(ExceedsOffer)),
    wa3(2, 2, Ok(2)),
    wa3(15, 2, Err(Malformed)),
];

/// SMCCC_ARCH_WORKAROUND_2: `ssbd(value, offer, verdict)`.
pub const WORKAROUND_2: &[Case] = &[
    ssbd(0, 0, Ok(0)),
    ssbd(1, 0, Ok(0)),
    ssbd(2, 0, Err(ExceedsOffer)),
    ssbd(3, 0, Err(ExceedsOffer)),
    ssbd(0x12, 0, Err(ExceedsOffer)),
    ssbd(0, 3, Ok(0)),
    ssbd(1, 3, Ok(0)),
    ssbd(2, 3, Ok(3)),
    ssbd(3, 3, Ok(3)),
    ssbd(0x12, 3, Ok(3)),
    ssbd(0x10, 3, Err(Malformed)),
    ssbd(0x11, 3, Err(Malformed)),
    ssbd(0x13, 3, Err(Malformed)),
    ssbd(4, 3, Err(Malformed)),
    ssbd(15, 3, Err(Malformed)),
    ssbd(0x20, 3, Err(Malformed)),
    ssbd(0x22, 3, Err(Malformed)),
    ssbd(1 << 63, 3, Err(Malformed)),
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
    frozen(psci(0x1_0003, true, Ok(0x1_0003)), 0x1_0003),
    frozen(psci(0x1_0003, true, Err(Frozen)), 0x1_0000),
    frozen(psci(0x1_0000, true, Ok(0x1_0000)), 0x1_0000),
    frozen(psci(0x1_0000, true, Err(Frozen)), 0x1_0003),
    frozen(psci(0x0_0001, true, Err(WrongFeature)), 0x1_0003),
    frozen(psci(0x1_0004, true, Err(Malformed)), 0x1_0003),
    frozen(wa1(1, 2, Ok(1)), 1),
    frozen(wa1(2, 2, Err(Frozen)), 1),
    frozen(wa1(0, 2, Err(Frozen)), 1),
    frozen(wa1(2, 1, Err(ExceedsOffer)), 1),
    frozen(wa3(1, 1, Ok(1)), 1),
    frozen(wa3(0, 1, Err(Frozen)), 1),
    frozen(wa1(2, 0, Err(ExceedsOffer)), 0),
    frozen(ssbd(3, 3, Ok(3)), 3),
    frozen(ssbd(2, 3, Ok(3)), 3),
    frozen(ssbd(0x12, 3, Ok(3)), 3),
    frozen(ssbd(0, 3, Err(Frozen)), 3),
    frozen(ssbd(1, 3, Err(Frozen)), 3),
    frozen(ssbd(4, 3, Err(Malformed)), 3),
    frozen(services(0b011, 0b011, 0b011, Ok(0b011)), 0b011),
    frozen(services(0b001, 0b011, 0b011, Err(Frozen)), 0b011),
    frozen(services(0b000, 0b011, 0b011, Err(Frozen)), 0b011),
    frozen(services(0b100, 0b011, 0b011, Err(ExceedsOffer)), 0b011),
];

/// What becomes of an accepted value: `(register, default VM, strict VM)`.
pub const RETENTION: &[(Register, Retention, Retention)] = &[
    (Register::PsciVersion, Retention::Kept, Retention::Frozen),
    (
        Register::Workaround1,
        Retention::Forgotten,
        Retention::Frozen,
    ),
    (
        Register::Workaround2,
        Retention::Forgotten,
        Retention::Frozen,
    ),
    (
        Register::Workaround3,
        Retention::Forgotten,
        Retention::Frozen,
    ),
    (Register::StdBmap, Retention::Frozen, Retention::Frozen),
    (Register::StdHypBmap, Retention::Frozen, Retention::Frozen),
    (
        Register::VendorHypBmap,
        Retention::Frozen,
        Retention::Frozen,
    ),
    (
        Register::VendorHypBmap2,
        Retention::Frozen,
        Retention::Frozen,
    ),
];

/// What a guest that asks for a workaround is told: `(register, promise, answer)`.
pub const DISCOVERY: &[(Register, u64, i32)] = &[
    (Register::Workaround1, 0, -1),
    (Register::Workaround1, 1, 0),
    (Register::Workaround1, 2, 1),
    (Register::Workaround3, 0, -1),
    (Register::Workaround3, 1, 0),
    (Register::Workaround3, 2, 1),
    (Register::Workaround2, 0, -1),
    (Register::Workaround2, 3, -2),
    (Register::PsciVersion, 0x1_0003, -1),
    (Register::StdBmap, 1, -1),
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
    let offer = PsciVersion::newest(psci_0_2) as u64;
    Case {
        psci_0_2,
        ..fresh(Register::PsciVersion, value, offer, verdict)
    }
}

const fn wa1(value: u64, offer: u64, verdict: Result<u64, Reason>) -> Case {
    fresh(Register::Workaround1, value, offer, verdict)
}

const fn wa3(value: u64, offer: u64, verdict: Result<u64, Reason>) -> Case {
    fresh(Register::Workaround3, value, offer, verdict)
}

const fn ssbd(value: u64, offer: u64, verdict: Result<u64, Reason>) -> Case {
    fresh(Register::Workaround2, value, offer, verdict)
}

const fn services(value: u64, offer: u64, promise: u64, verdict: Result<u64, Reason>) -> Case {
    let case = fresh(Register::VendorHypBmap, value, offer, verdict);
    Case {
        state: State {
            promise,
            ..case.state
        },
        ..case
    }
}

const fn frozen(case: Case, promise: u64) -> Case {
    Case {
        state: State {
            promise,
            has_run: true,
            ..case.state
        },
        ..case
    }
}

/// A VM for which nothing was stored yet.
const fn fresh(register: Register, value: u64, offer: u64, verdict: Result<u64, Reason>) -> Case {
    Case {
        register,
        value,
        psci_0_2: true,
        state: State {
            offer,
            promise: offer,
            has_run: false,
        },
        verdict,
    }
}
