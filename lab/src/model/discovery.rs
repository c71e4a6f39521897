// SPDX-License-Identifier: GPL-2.0

//! The guest's own discovery: what it asks its firmware, and what it should be told where the
//! VM's registers are known.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure, Result};

use crate::model::matrix::{show, Contradiction};
use crate::model::registers::{self, hex, Id};

/// A firmware call, as the SMC calling convention has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    function: u64,
    argument: u64,
}

impl Call {
    const fn new(function: u64, argument: u64) -> Self {
        Self { function, argument }
    }

    /// "Is there this function, and what of it?"
    const fn features(function: u64) -> Self {
        Self::new(ARCH_FEATURES, function)
    }
}

const ARCH_FEATURES: u64 = 0x8000_0001;
const WORKAROUND_1: u64 = 0x8000_8000;
const WORKAROUND_2: u64 = 0x8000_7fff;
const WORKAROUND_3: u64 = 0x8000_3fff;
const PSCI_VERSION: u64 = 0x8400_0000;
const TRNG_VERSION: u64 = 0x8400_0050;
const PV_TIME_FEATURES: u64 = 0xc500_0020;
const VENDOR_HYP_FEATURES: u64 = 0x8600_0000;

const SUCCESS: u64 = 0;
const NOT_SUPPORTED: u64 = -1_i64 as u64;
const NOT_REQUIRED: u64 = -2_i64 as u64;
/// `SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED`
const UNAFFECTED: u64 = 1;
const TRNG_1_0: u64 = 0x1_0000;

/// The bits of `STD_BMAP` and `STD_HYP_BMAP` for these services.
const TRNG: u64 = 1;
const PV_TIME: u64 = 1;
/// The bit of `VENDOR_HYP_BMAP` for the call that tells both vendor bitmaps.
const FUNC_FEAT: u64 = 1;

/// How a register shows in the guest.
struct Question {
    id: Id,
    call: Call,
    /// Which of x0 to x3 has the answer.
    result: usize,
}

const QUESTIONS: [Question; 8] = [
    question(registers::PSCI_VERSION, Call::new(PSCI_VERSION, 0), 0),
    question(registers::WORKAROUND_1, Call::features(WORKAROUND_1), 0),
    question(registers::WORKAROUND_2, Call::features(WORKAROUND_2), 0),
    question(registers::WORKAROUND_3, Call::features(WORKAROUND_3), 0),
    question(registers::STD_BMAP, Call::new(TRNG_VERSION, 0), 0),
    question(registers::STD_HYP_BMAP, Call::features(PV_TIME_FEATURES), 0),
    question(
        registers::VENDOR_HYP_BMAP,
        Call::new(VENDOR_HYP_FEATURES, 0),
        0,
    ),
    question(
        registers::VENDOR_HYP_BMAP_2,
        Call::new(VENDOR_HYP_FEATURES, 0),
        2,
    ),
];

const fn question(id: Id, call: Call, result: usize) -> Question {
    Question { id, call, result }
}

/// What follows from a register's value. None where its meaning is not known.
fn answer(id: Id, value: u64) -> Option<u64> {
    let with = |bit, answer| {
        if value & bit != 0 {
            answer
        } else {
            NOT_SUPPORTED
        }
    };
    Some(match (id, value) {
        (registers::PSCI_VERSION | registers::VENDOR_HYP_BMAP_2, _) => value,
        (registers::WORKAROUND_1 | registers::WORKAROUND_3, 0) => NOT_SUPPORTED,
        (registers::WORKAROUND_1 | registers::WORKAROUND_3, 1) => SUCCESS,
        (registers::WORKAROUND_1 | registers::WORKAROUND_3, 2) => UNAFFECTED,
        (registers::WORKAROUND_2, 0 | 1) => NOT_SUPPORTED,
        // KVM takes "available" for "not required".
        (registers::WORKAROUND_2, 2 | 3 | 0x12) => NOT_REQUIRED,
        (registers::STD_BMAP, _) => with(TRNG, TRNG_1_0),
        (registers::STD_HYP_BMAP, _) => with(PV_TIME, SUCCESS),
        (registers::VENDOR_HYP_BMAP, _) => with(FUNC_FEAT, value),
        _ => return None,
    })
}

/// What a guest is to ask, as `fw_regs_vmm -g` reads it.
pub fn questions() -> String {
    let line = |call: &Call| format!("{:#x} {:#x}\n", call.function, call.argument);
    calls().iter().map(line).collect()
}

fn calls() -> BTreeSet<Call> {
    QUESTIONS.iter().map(|question| question.call).collect()
}

/// What a guest was told: x0 to x3 of each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told(BTreeMap<Call, [u64; 4]>);

impl Told {
    /// Whether the line is one of those that `parse` takes.
    pub fn is_line(line: &str) -> bool {
        line.starts_with("told ")
    }

    /// Reads the lines that `fw_regs_vmm -g` prints.
    pub fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Self> {
        let mut told = BTreeMap::new();
        for line in lines {
            let numbers: Option<Vec<u64>> = line.split(' ').skip(1).map(hex).collect();
            match numbers.as_deref() {
                Some(&[function, argument, x0, x1, x2, x3]) if Self::is_line(line) => {
                    told.insert(Call::new(function, argument), [x0, x1, x2, x3])
                }
                _ => bail!("`{line}` is no answer of the firmware"),
            };
        }
        ensure!(
            told.keys().copied().eq(calls()),
            "the guest did not ask everything"
        );
        Ok(Self(told))
    }

    /// What the guest was told about a register; None where it cannot ask.
    pub fn about(&self, id: Id) -> Option<u64> {
        let question = QUESTIONS.iter().find(|question| question.id == id)?;
        let results = self.0.get(&question.call)?;
        // Without this call there is no other result.
        let whole = question.result == 0 || results[0] != NOT_SUPPORTED;
        whole.then_some(results[question.result])
    }

    /// A line for each register that a guest can ask about, with all that it was told then.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        QUESTIONS.iter().map(|question| {
            let results = self.0[&question.call].map(show).join(", ");
            format!(
                "{}: the guest is told {results}",
                registers::name(question.id)
            )
        })
    }

    /// The registers that the guest was told something else about.
    pub fn contradictions(&self, registers: &[(Id, u64)]) -> Vec<Contradiction> {
        let contradiction = |&(id, value): &(Id, u64)| {
            let (told, expected) = (self.about(id)?, answer(id, value)?);
            (told != expected).then_some(Contradiction {
                id,
                value,
                told,
                expected,
            })
        };
        registers.iter().filter_map(contradiction).collect()
    }
}

#[cfg(test)]
mod tests;
