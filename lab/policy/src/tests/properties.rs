// SPDX-License-Identifier: GPL-2.0

//! The policy against the rules as the UAPI states them, and against the laws that hold for every
//! value.

use proptest::prelude::*;

use crate::policy::{judge, promises_nothing, Reason, Register, Retention, State};

/// A write, and the VM that it is to.
#[derive(Clone, Copy, Debug)]
struct Write {
    register: Register,
    value: u64,
    psci_0_2: bool,
    is_strict: bool,
    state: State,
}

impl Write {
    /// What the VM has if the value is stored, or why the write is refused.
    fn judged(&self) -> Result<u64, Reason> {
        let value = self.register.parse(self.value, self.psci_0_2)?;
        let retention = self.register.retention(self.is_strict);
        judge(self.register, retention, value, &self.state)?;
        Ok(value)
    }

    /// What the UAPI says of it, on bare numbers.
    fn specified(&self) -> Result<u64, Reason> {
        let narrowed = match self.register {
            Register::PsciVersion => match (self.value, self.psci_0_2) {
                (1, false) | (2 | 0x10000..=0x10003, true) => self.value,
                (1 | 2 | 0x10000..=0x10003, _) => return Err(Reason::WrongFeature),
                _ => return Err(Reason::Malformed),
            },
            Register::Workaround1 | Register::Workaround3 => match self.value {
                0..=2 => self.value,
                _ => return Err(Reason::Malformed),
            },
            Register::Workaround2 => match self.value {
                0 | 1 => 0,
                2 | 3 | 0x12 => 3,
                _ => return Err(Reason::Malformed),
            },
            _ => self.value,
        };
        let is_bitmap = u64::from(self.register) & 0xffff_0000 == 0x0016_0000;
        let exceeds = match is_bitmap {
            true => narrowed & !self.state.offer != 0,
            false => narrowed > self.state.offer,
        };
        let is_frozen = self.state.has_run && (self.is_strict || is_bitmap);
        match (exceeds, is_frozen, narrowed == self.state.promise) {
            (true, _, _) => Err(Reason::ExceedsOffer),
            (false, true, false) => Err(Reason::Frozen),
            (false, _, _) => Ok(narrowed),
        }
    }
}

/// What a register can hold.
fn promise(register: Register) -> BoxedStrategy<u64> {
    match register {
        Register::PsciVersion => prop_oneof![1..=2_u64, 0x1_0000..=0x1_0003_u64].boxed(),
        Register::Workaround1 | Register::Workaround3 => (0..=2_u64).boxed(),
        Register::Workaround2 => prop_oneof![Just(0_u64), Just(3)].boxed(),
        Register::StdBmap
        | Register::StdHypBmap
        | Register::VendorHypBmap
        | Register::VendorHypBmap2 => prop_oneof![0..8_u64, any::<u64>()].boxed(),
    }
}

/// Values as userspace may send them: those near the meaningful ones, and any other.
fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        0..32_u64,
        0x0_fff0..0x1_0010_u64,
        any::<u64>(),
        (0..64_u32).prop_map(|bit| 1 << bit),
        (0..32_u64, 32..64_u32).prop_map(|(low, bit)| low | 1 << bit),
    ]
}

fn write() -> impl Strategy<Value = Write> {
    prop::sample::select(&Register::ALL[..]).prop_flat_map(|register| {
        let state = (promise(register), promise(register), any::<bool>()).prop_map(
            |(offer, promise, has_run)| State {
                offer,
                promise,
                has_run,
            },
        );
        (value(), any::<bool>(), any::<bool>(), state).prop_map(
            move |(value, psci_0_2, is_strict, state)| Write {
                register,
                value,
                psci_0_2,
                is_strict,
                state,
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_those_of_the_uapi(write in write()) {
        prop_assert_eq!(write.judged(), write.specified());
    }

    #[test]
    fn the_value_read_back_can_be_written_again(write in write()) {
        if let Ok(value) = write.judged() {
            let again = Write { value, ..write };
            prop_assert_eq!(again.judged(), Ok(value));
        }
    }

    #[test]
    fn a_register_takes_its_own_value(mut write in write()) {
        write.value = write.state.promise;
        let is_sound = write.register.fits(write.value, write.state.offer);
        if is_sound && write.register.parse(write.value, write.psci_0_2).is_ok() {
            prop_assert_eq!(write.judged(), Ok(write.value));
        }
    }

    #[test]
    fn a_frozen_register_takes_no_other_value(mut write in write()) {
        write.state.has_run = true;
        if write.register.retention(write.is_strict) == Retention::Frozen {
            prop_assert!(write.judged().map_or(true, |value| value == write.state.promise));
        }
    }

    #[test]
    fn a_run_changes_nothing_where_values_are_not_frozen(write in write()) {
        if write.register.retention(write.is_strict) != Retention::Frozen {
            let [before, after] = [false, true].map(|has_run| {
                Write { state: State { has_run, ..write.state }, ..write }.judged()
            });
            prop_assert_eq!(before, after);
        }
    }

    #[test]
    fn both_kinds_of_vm_judge_alike_before_the_run(mut write in write()) {
        write.state.has_run = false;
        let [default, strict] = [false, true].map(|is_strict| Write { is_strict, ..write }.judged());
        prop_assert_eq!(default, strict);
    }

    #[test]
    fn a_default_vm_accepts_what_a_strict_one_does(write in write()) {
        let [default, strict] = [false, true].map(|is_strict| Write { is_strict, ..write }.judged());
        prop_assert!(strict.is_err() || default == strict);
    }

    #[test]
    fn what_is_accepted_fits_the_offer(write in write()) {
        if let Ok(value) = write.judged() {
            prop_assert!(write.register.fits(value, write.state.offer));
        }
    }

    #[test]
    fn null_promises_are_those_of_the_uapi(
        class in prop::sample::select(&[0x6030_0000_0014, 0x6030_0000_0016, 0x6030_0000_0015, 0x6030_0000_1014][..]),
        number in any::<u16>(),
        value in value(),
    ) {
        // Bits 3:0 as a signed number.
        let level = ((value & 0xf) as i64) << 60 >> 60;
        let nothing = match class {
            0x6030_0000_0014_u64 => level <= 0 && value & !0xf == 0,
            0x6030_0000_0016 => value == 0,
            _ => false,
        };
        prop_assert_eq!(promises_nothing(class << 16 | u64::from(number), value), nothing);
    }

    #[test]
    fn a_better_host_keeps_what_a_worse_one_can(write in write()) {
        let offer = write.state.promise;
        let better = Write { state: State { offer, ..write.state }, ..write };
        if write.register.fits(write.state.offer, offer) && write.judged().is_ok() {
            prop_assert_eq!(better.judged(), write.judged());
        }
    }
}
