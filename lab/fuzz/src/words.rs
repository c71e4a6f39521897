// SPDX-License-Identifier: GPL-2.0

//! Trials and their outcomes for people to read.

use core::fmt::{self, Display, Formatter};

use crate::act::{Act, Enable, Outcome, Seen, UNTOUCHED};
use crate::input::Setup;
use crate::model::{Host, IDS, VERDICTS};
use crate::trial::Failure;

pub const NAMES: [&str; 8] = [
    "PSCI_VERSION",
    "WORKAROUND_1",
    "WORKAROUND_2",
    "WORKAROUND_3",
    "STD_BMAP",
    "STD_HYP_BMAP",
    "VENDOR_HYP_BMAP",
    "VENDOR_HYP_BMAP_2",
];

const VULNERABILITIES: [&str; 3] = ["Spectre-v2", "Spectre-v4", "Spectre-BHB"];

const STATES: [&str; 3] = ["unaffected", "mitigated", "vulnerable"];

/// A register by its name, if it has one.
pub struct Id(pub u64);

impl Display for Id {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match IDS.iter().position(|id| *id == self.0) {
            Some(register) => f.write_str(NAMES[register]),
            None => write!(f, "{:#018x}", self.0),
        }
    }
}

fn errno(answer: i32) -> String {
    match answer {
        0 => "0".to_owned(),
        -2 => "ENOENT".to_owned(),
        -14 => "EFAULT".to_owned(),
        -16 => "EBUSY".to_owned(),
        -22 => "EINVAL".to_owned(),
        other => other.to_string(),
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "The component does not do what the laws say:")?;
        for (n, step) in self.steps.iter().enumerate() {
            writeln!(f, "  {:>2}. {step}", n + 1)?;
        }
        write!(f, "   -> {}", self.what)
    }
}

impl Display for Host {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (name, state) in VULNERABILITIES.iter().zip(self.states) {
            write!(f, "{name} {}, ", STATES[state])?;
        }
        write!(f, "SSBS {}", self.ssbs)?;
        f.write_str(if self.strict {
            ", kvm_arm_fw_regs.strict=1"
        } else {
            ""
        })
    }
}

impl Display for Setup {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.protected {
            "a protected VM"
        } else {
            "a VM"
        })?;
        f.write_str(if self.psci_0_2 {
            ""
        } else {
            " without PSCI_0_2"
        })
    }
}

impl Display for Enable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let args = self.args.map(hex).join(" ");
        write!(f, "KVM_CAP_ARM_FW_REGS_STRICT with {args}")?;
        match self.flags {
            0 => Ok(()),
            flags => write!(f, ", field flags {flags:#x}"),
        }
    }
}

impl Display for Act {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unless = |mapped: &bool| if *mapped { "" } else { " at a bad address" };
        match self {
            Self::Set {
                vcpu,
                id,
                value,
                mapped,
            } => {
                let (id, by) = (Id(*id), if *vcpu == 0 { "" } else { " by its other vCPU" });
                write!(f, "set {id} = {value:#x}{by}{}", unless(mapped))
            }
            Self::Get { id, mapped } => write!(f, "get {}{}", Id(*id), unless(mapped)),
            Self::List { room } => write!(f, "list, with room for {room} ids"),
            Self::Ssbs(ssbs) => write!(f, "set ID_AA64PFR1_EL1.SSBS = {ssbs}"),
            Self::Run => f.write_str("run"),
            Self::Enable(enable) => write!(f, "enable {enable}"),
        }
    }
}

impl Display for Outcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&errno(self.answer))?;
        if !self.touched {
            f.write_str(", user memory untouched")?;
        }
        let words: Vec<String> = self.words.iter().map(|word| hex(*word)).collect();
        // A set leaves it as it is.
        if !words.is_empty() && self.events.is_empty() {
            write!(f, ", memory holds {}", words.join(" "))?;
        }
        for event in &self.events {
            let verdict = VERDICTS.get(event.verdict as usize);
            write!(
                f,
                ", event: vcpu={} id={} value={:#x} promise={:#x} offer={:#x} {}",
                event.vcpu_id,
                Id(event.id),
                event.value,
                event.promise,
                event.offer,
                verdict.map_or("unknown verdict", |(_, name)| name)
            )?;
        }
        Ok(())
    }
}

fn hex(word: u64) -> String {
    match word {
        UNTOUCHED => "(untouched)".to_owned(),
        word => format!("{word:#x}"),
    }
}

/// What differs between what is seen and what should be.
pub struct Differences<'a>(pub &'a Seen, pub &'a Seen);

impl Display for Differences<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(expected, got) = self;
        let mut row = |name: &str, expected: String, got: String| {
            if expected == got {
                return Ok(());
            }
            write!(f, "\n      {name}: expected {expected}, got {got}")
        };
        for (n, name) in NAMES.iter().enumerate() {
            row(
                &format!("get {name}"),
                hex(expected.registers[n]),
                hex(got.registers[n]),
            )?;
        }
        for (n, (expected, got)) in expected.features.iter().zip(got.features).enumerate() {
            let asked = [
                "WORKAROUND_1",
                "WORKAROUND_2",
                "WORKAROUND_3",
                "no workaround",
            ][n];
            row(
                &format!("the guest asks SMCCC_ARCH_FEATURES about {asked}"),
                expected.to_string(),
                got.to_string(),
            )?;
        }
        row(
            "the guest's PSCI_VERSION",
            hex(expected.psci),
            hex(got.psci),
        )?;
        for (n, name) in NAMES[4..].iter().enumerate() {
            row(
                &format!("the services in {name} that the guest has"),
                hex(expected.services[n]),
                hex(got.services[n]),
            )?;
        }
        row("SSBS", expected.ssbs.to_string(), got.ssbs.to_string())?;
        for (name, expected, got) in [
            ("has run", expected.ran, got.ran),
            ("is strict", expected.strict, got.strict),
            (
                "accepts null promises",
                expected.accepts_null,
                got.accepts_null,
            ),
        ] {
            row(name, expected.to_string(), got.to_string())?;
        }
        row(
            "KVM_CHECK_EXTENSION",
            expected.capability.to_string(),
            got.capability.to_string(),
        )
    }
}
