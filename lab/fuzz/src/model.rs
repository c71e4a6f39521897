// SPDX-License-Identifier: GPL-2.0

//! The laws, as a model that is written from the documentation alone.
//!
//! `Documentation/virt/kvm/arm/fw-pseudo-registers-acceptance.rst` has them as tables, and so has
//! this: it shares no code with the component, and does nothing cleverly.

mod tables;

use kernel::sim::Event;

use crate::act::{Act, Enable, Outcome, Seen, UNTOUCHED};
use crate::kvm::VCPU_IDS;
pub use tables::{exceeds, features, offer, IDS, PSCI_VERSION, VERDICTS, WORKAROUND_2};
use tables::{
    well_formed, ACCEPTED, BAD_ADDRESS, EBUSY, EFAULT, EINVAL, ENOENT, EXCEEDS_OFFER, FROZEN,
    NULL_PROMISE, OK, UNKNOWN_REGISTER,
};

#[derive(Clone, Debug)]
pub struct Host {
    /// How it stands to Spectre-v2, Spectre-v4 and Spectre-BHB: 0 not affected, 1 mitigated,
    /// 2 vulnerable. An index into the tables of offers.
    pub states: [usize; 3],
    /// The greatest value of the field SSBS.
    pub ssbs: u8,
    /// `kvm_arm_fw_regs.strict=1`.
    pub strict: bool,
}

#[derive(Clone, Debug)]
pub struct Vm {
    psci_0_2: bool,
    protected: bool,
    has_vcpus: bool,
    pub ssbs: u8,
    ran: bool,
    pub strict: bool,
    accepts_null: bool,
    /// What was stored last in each register.
    stored: [Option<u64>; 8],
}

impl Vm {
    pub fn new(psci_0_2: bool, protected: bool, host: &Host) -> Self {
        let mut stored = [None; 8];
        // "The promise starts at 0."
        stored[7] = Some(0);
        Self {
            psci_0_2,
            protected,
            has_vcpus: false,
            ssbs: host.ssbs,
            ran: false,
            // "Protected VMs are never strict."
            strict: host.strict && !protected,
            accepts_null: false,
            stored,
        }
    }

    pub fn create_vcpus(&mut self) {
        self.has_vcpus = true;
    }

    /// "What was stored last or, where nothing was stored, the offer."
    pub fn promise(&self, register: usize, host: &Host) -> u64 {
        self.stored[register].unwrap_or_else(|| offer(register, self, host))
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
            Act::Enable(ref enable) => Outcome::answer(self.enable(enable)),
        }
    }

    /// `KVM_CAP_ARM_FW_REGS_STRICT`: "EINVAL for an unknown flag, a non-zero flags or other argument,
    /// a protected VM, or once a vCPU has been created."
    fn enable(&mut self, enable: &Enable) -> i32 {
        let [flags, others @ ..] = enable.args;
        if !(0..=3).contains(&flags) || enable.flags != 0 || others != [0, 0, 0] {
            return EINVAL;
        }
        if self.protected || self.has_vcpus {
            return EINVAL;
        }
        self.strict |= flags & 1 != 0;
        self.accepts_null |= flags & 2 != 0;
        OK
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
        // "Fields that were not evaluated are 0."
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
        if exceeds(register, wanted, event.offer) {
            return EXCEEDS_OFFER;
        }
        // "Default VMs": whether an accepted value is kept, and whether it is frozen.
        let (is_kept, is_frozen) = match register {
            _ if self.strict => (true, self.ran),
            PSCI_VERSION => (true, false),
            1..=3 => (false, false),
            _ => (true, self.ran),
        };
        if is_frozen && wanted != event.promise {
            return FROZEN;
        }
        if is_kept {
            self.stored[register] = Some(wanted);
        }
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
        let breaks = |stored| exceeds(WORKAROUND_2, stored, offer(WORKAROUND_2, &after, host));
        if appears && self.stored[WORKAROUND_2].is_some_and(breaks) {
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
            strict: self.strict,
            accepts_null: self.accepts_null,
            capability: if self.protected { 0 } else { 3 },
        }
    }
}
