// SPDX-License-Identifier: GPL-2.0

//! The tables of the documentation.

use super::{Host, Vm};

pub const OK: i32 = 0;
pub const ENOENT: i32 = -2;
pub const EFAULT: i32 = -14;
pub const EBUSY: i32 = -16;
pub const EINVAL: i32 = -22;

pub const PSCI_VERSION: usize = 0;
pub const WORKAROUND_2: usize = 2;

/// The ids, in the order of the UAPI.
pub const IDS: [u64; 8] = [
    0x6030_0000_0014_0000,
    0x6030_0000_0014_0001,
    0x6030_0000_0014_0002,
    0x6030_0000_0014_0003,
    0x6030_0000_0016_0000,
    0x6030_0000_0016_0001,
    0x6030_0000_0016_0002,
    0x6030_0000_0016_0003,
];

/// The services that the KVM of [`kernel::bindings`] implements.
const SERVICES: [u64; 4] = [0b0001, 0b0101, 0b0011, 0b0111];

/// What the trace event calls a verdict.
pub const VERDICTS: [(i32, &str); 8] = [
    (OK, "accepted"),
    (ENOENT, "refused: unknown register"),
    (EFAULT, "refused: bad address"),
    (EINVAL, "refused: malformed"),
    (EINVAL, "refused: wrong vCPU feature"),
    (EINVAL, "refused: exceeds the offer"),
    (EBUSY, "refused: frozen"),
    (OK, "accepted: promises nothing"),
];
pub const ACCEPTED: u32 = 0;
pub const UNKNOWN_REGISTER: u32 = 1;
pub const BAD_ADDRESS: u32 = 2;
pub const MALFORMED: u32 = 3;
pub const WRONG_FEATURE: u32 = 4;
pub const EXCEEDS_OFFER: u32 = 5;
pub const FROZEN: u32 = 6;
pub const NULL_PROMISE: u32 = 7;

/// "Well-formed values": what the register becomes, or what is wrong.
pub fn well_formed(register: usize, value: u64, psci_0_2: bool) -> Result<u64, u32> {
    let narrowed: &[(u64, u64)] = match register {
        PSCI_VERSION => {
            return match (value, psci_0_2) {
                (0x1, false) => Ok(value),
                (0x2 | 0x1_0000..=0x1_0003, true) => Ok(value),
                (0x1 | 0x2 | 0x1_0000..=0x1_0003, _) => Err(WRONG_FEATURE),
                _ => Err(MALFORMED),
            };
        }
        1 | 3 => &[(0, 0), (1, 1), (2, 2)],
        WORKAROUND_2 => &[(0, 0), (1, 0), (2, 3), (3, 3), (0x12, 3)],
        _ => return Ok(value),
    };
    let found = narrowed.iter().find(|(from, _)| *from == value);
    found.map(|(_, to)| *to).ok_or(MALFORMED)
}

/// "A value exceeds the offer if it is greater, or has a bit that the offer lacks."
pub fn exceeds(register: usize, value: u64, offer: u64) -> bool {
    match register {
        0..=3 => value > offer,
        _ => value & !offer != 0,
    }
}

/// "What the offer of a workaround is", and the services that KVM implements.
pub fn offer(register: usize, vm: &Vm, host: &Host) -> u64 {
    const LEVELS: [u64; 3] = [2, 1, 0];
    const SSBS_VISIBLE: [u64; 3] = [3, 0, 0];
    const SSBS_HIDDEN: [u64; 3] = [3, 3, 0];

    let [v2, v4, bhb] = host.states;
    match register {
        PSCI_VERSION if vm.psci_0_2 => 0x1_0003,
        PSCI_VERSION => 0x1,
        1 => LEVELS[v2],
        WORKAROUND_2 if vm.ssbs != 0 => SSBS_VISIBLE[v4],
        WORKAROUND_2 => SSBS_HIDDEN[v4],
        3 => LEVELS[bhb],
        _ => SERVICES[register - 4],
    }
}

/// What the guest is told about workaround 1, 2 or 3 whose register has this value.
pub fn features(register: usize, value: u64) -> i32 {
    match (register, value) {
        (WORKAROUND_2, 3) => -2,
        (1 | 3, 1) => 0,
        (1 | 3, 2) => 1,
        _ => -1,
    }
}
