// SPDX-License-Identifier: GPL-2.0

//! The laws, as a model that is written from the documentation alone.
//!
//! `Documentation/virt/kvm/arm/fw-pseudo-registers-acceptance.rst` has them as tables, and so has
//! this: it shares no code with the component, and does nothing cleverly.

use kernel::sim::Event;

use crate::act::{Act, Outcome, Seen, UNTOUCHED};
use crate::kvm::VCPU_IDS;

const OK: i32 = 0;
const ENOENT: i32 = -2;
const EFAULT: i32 = -14;
const EBUSY: i32 = -16;
const EINVAL: i32 = -22;

/// How a host stands to a vulnerability: an index into the tables of offers.
pub const UNAFFECTED: usize = 0;
pub const MITIGATED: usize = 1;
pub const VULNERABLE: usize = 2;

#[derive(Clone, Debug)]
pub struct Host {
    /// To Spectre-v2, Spectre-v4 and Spectre-BHB.
    pub states: [usize; 3],
    /// The greatest value of the field SSBS.
    pub ssbs: u8,
}

#[derive(Clone, Debug)]
pub struct Vm {
    pub psci_0_2: bool,
    pub ssbs: u8,
    pub ran: bool,
    pub accepts_null: bool,
    /// What was accepted last for each register.
    pub given: [Option<u64>; 8],
}

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
    (OK, "accepted: promises nothing"),
    (ENOENT, "refused: unknown register"),
    (EFAULT, "refused: bad address"),
    (EINVAL, "refused: malformed"),
    (EINVAL, "refused: wrong vCPU feature"),
    (EINVAL, "refused: exceeds the offer"),
    (EBUSY, "refused: frozen"),
];
const ACCEPTED: u32 = 0;
const NULL_PROMISE: u32 = 1;
const UNKNOWN_REGISTER: u32 = 2;
const BAD_ADDRESS: u32 = 3;
const MALFORMED: u32 = 4;
const WRONG_FEATURE: u32 = 5;
const EXCEEDS_OFFER: u32 = 6;
const FROZEN: u32 = 7;

/// "Well-formed values": what the register becomes, or what is wrong.
fn well_formed(register: usize, value: u64, psci_0_2: bool) -> Result<u64, u32> {
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

impl Vm {
    pub fn new(psci_0_2: bool, host: &Host) -> Self {
        let mut given = [None; 8];
        // "The promise starts at 0."
        given[7] = Some(0);
        Self {
            psci_0_2,
            ssbs: host.ssbs,
            ran: false,
            accepts_null: false,
            given,
        }
    }

    /// "What was accepted last or, where nothing was set, the offer."
    pub fn promise(&self, register: usize, host: &Host) -> u64 {
        self.given[register].unwrap_or_else(|| offer(register, self, host))
    }

    pub fn act(&mut self, host: &Host, act: &Act) -> Outcome {
        match *act {
            Act::Set {
                vcpu,
                id,
                value,
                mapped,
            } => self.set(host, VCPU_IDS[vcpu], id, mapped.then_some(value)),
            Act::Get { id, mapped } => self.get(host, id, mapped),
            Act::List { room } => Outcome {
                answer: if room < IDS.len() { EFAULT } else { OK },
                touched: true,
                words: (0..room)
                    .map(|n| IDS.get(n).copied().unwrap_or(UNTOUCHED))
                    .collect(),
                events: Vec::new(),
            },
            Act::Ssbs(ssbs) => Outcome::answer(self.write_ssbs(host, ssbs)),
            Act::Run => {
                self.ran = true;
                Outcome::answer(OK)
            }
            Act::AcceptNull if self.ran => Outcome::answer(EBUSY),
            Act::AcceptNull => {
                self.accepts_null = true;
                Outcome::answer(OK)
            }
        }
    }

    fn get(&self, host: &Host, id: u64, mapped: bool) -> Outcome {
        let register = IDS.iter().position(|known| *known == id);
        let promise = register.map(|register| self.promise(register, host));
        Outcome {
            answer: match (promise, mapped) {
                (None, _) => ENOENT,
                (Some(_), false) => EFAULT,
                (Some(_), true) => OK,
            },
            touched: promise.is_some(),
            words: if mapped {
                vec![promise.unwrap_or(UNTOUCHED)]
            } else {
                Vec::new()
            },
            events: Vec::new(),
        }
    }

    /// `value` is `None` where it cannot be read.
    fn set(&mut self, host: &Host, vcpu_id: i32, id: u64, value: Option<u64>) -> Outcome {
        // "What a write did not get to is 0."
        let mut event = Event {
            vcpu_id,
            id,
            value: 0,
            promise: 0,
            offer: 0,
            verdict: 0,
        };
        // Bits 55:52 are the logarithm of the size.
        let touched = id >> 52 & 0xf == 3;
        event.verdict = match value {
            _ if !touched => UNKNOWN_REGISTER,
            None => BAD_ADDRESS,
            Some(value) => {
                event.value = value;
                self.judge(host, id, value, &mut event)
            }
        };
        Outcome {
            answer: VERDICTS[event.verdict as usize].0,
            touched,
            words: value.into_iter().collect(),
            events: vec![event],
        }
    }

    /// The verdict on a value that was read; see "Verdicts".
    fn judge(&mut self, host: &Host, id: u64, value: u64, event: &mut Event) -> u32 {
        let Some(register) = IDS.iter().position(|known| *known == id) else {
            let nothing = match id >> 16 {
                0x6030_0000_0014 => matches!(value, 0 | 0x8..=0xf),
                0x6030_0000_0016 => value == 0,
                _ => false,
            };
            return if self.accepts_null && nothing {
                NULL_PROMISE
            } else {
                UNKNOWN_REGISTER
            };
        };
        let wanted = match well_formed(register, value, self.psci_0_2) {
            Ok(wanted) => wanted,
            Err(verdict) => return verdict,
        };
        event.promise = self.promise(register, host);
        event.offer = offer(register, self, host);
        if wanted != event.promise {
            if exceeds(register, wanted, event.offer) {
                return EXCEEDS_OFFER;
            }
            if self.ran {
                return FROZEN;
            }
        }
        self.given[register] = Some(wanted);
        ACCEPTED
    }

    fn write_ssbs(&mut self, host: &Host, ssbs: u8) -> i32 {
        if self.ran {
            return if ssbs == self.ssbs { OK } else { EBUSY };
        }
        if ssbs > host.ssbs {
            return EINVAL;
        }
        let after = Self {
            ssbs,
            ..self.clone()
        };
        // "A VM that was given 3 must not see SSBS on a mitigated host. Hiding SSBS, and writing the
        // field as it is, is not affected."
        let appears = self.ssbs == 0 && ssbs != 0;
        let breaks = |given| exceeds(WORKAROUND_2, given, offer(WORKAROUND_2, &after, host));
        if appears && self.given[WORKAROUND_2].is_some_and(breaks) {
            return EINVAL;
        }
        *self = after;
        OK
    }

    pub fn seen(&self, host: &Host) -> Seen {
        let registers = core::array::from_fn(|n| self.promise(n, host));
        Seen {
            registers,
            features: [
                features(1, registers[1]),
                features(2, registers[2]),
                features(3, registers[3]),
                -1,
            ],
            psci: registers[PSCI_VERSION],
            services: core::array::from_fn(|n| registers[4 + n]),
            ssbs: self.ssbs,
            ran: self.ran,
            accepts_null: self.accepts_null,
        }
    }
}
