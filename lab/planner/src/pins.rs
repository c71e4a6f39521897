// SPDX-License-Identifier: GPL-2.0

//! What a VM is to be given before it runs, and what of it a VMM can be told.

use fw_regs_policy::{Register, Retention};

use crate::{Bound, Dumps, Hosts, Kind, Offered, Question, Verdicts};

/// Whom it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// One that writes any register: `fw_regs_vmm`, or a program.
    Any,
    /// Firecracker, which stops where a host does not know a register of a CPU template.
    Firecracker,
    /// QEMU, which has a property for the PSCI version.
    Qemu,
}

/// What is told, and what is not.
pub struct Told<'a, 'b> {
    pub pinned: Vec<&'b Bound<'a>>,
    pub left: Vec<Left<'a>>,
}

/// A register that is left to each host.
pub struct Left<'a> {
    pub register: Register,
    /// What the VM ought to have. None: anything.
    pub value: Option<u64>,
    pub why: Why,
    /// What hosts offer.
    pub offers: &'a [Offered],
}

/// Why a register is left to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    NotSaved,
    NotEverywhere,
    NoProperty,
    Forgotten,
}

impl Why {
    pub fn text(self) -> &'static str {
        match self {
            Self::NotSaved => "the VM does not have it",
            Self::NotEverywhere => "not every host knows it, and a template is for all",
            Self::NoProperty => "QEMU has no property for it",
            Self::Forgotten => "a default VM forgets it, a strict one does not",
        }
    }
}

/// What a new VM is to be given to be like a saved one on all hosts: the VM's own values.
///
/// # Errors
///
/// The answers of the hosts, some of which refuse it.
pub fn pins<'a>(
    hosts: &'a Hosts,
    dumps: &Dumps,
    null_promises: bool,
) -> Result<Vec<Bound<'a>>, Verdicts<'a>> {
    let question = Question {
        null_promises,
        most: 1,
    };
    let verdicts = Verdicts::new(hosts, dumps, question);
    if !verdicts.refusals.is_empty() {
        return Err(verdicts);
    }
    let registers = Register::ALL.into_iter().zip(hosts.offered(dumps.kind));
    let bounds = registers.filter_map(|(register, offers)| {
        let value = dumps.registers.value(register.into())?;
        let promise = register.parse(value, dumps.kind.psci_0_2).ok()?;
        Some(Bound {
            register,
            promise,
            offers,
        })
    });
    Ok(bounds.collect())
}

/// What of it a VMM can be told. Where all hosts offer what a default VM forgets, nothing is lost.
pub fn tell<'a, 'b>(
    reader: Reader,
    hosts: &'a Hosts,
    kind: Kind,
    bounds: &'b [Bound<'a>],
) -> Told<'a, 'b> {
    let mut told = Told {
        pinned: Vec::new(),
        left: Vec::new(),
    };
    for (register, offers) in Register::ALL.into_iter().zip(hosts.offered(kind)) {
        let bound = bounds.iter().find(|bound| bound.register == register);
        let differs = |value| offers.iter().any(|offered| offered.offer != Some(value));
        let is_forgotten = register.retention(false) == Retention::Forgotten;
        let known_to_all = offers.iter().all(|offered| offered.offer.is_some());
        let known_to_none = offers.iter().all(|offered| offered.offer.is_none());
        let why = match (bound, reader) {
            (None, _) if known_to_none => continue,
            (None, _) => Some(Why::NotSaved),
            (_, Reader::Firecracker) if !known_to_all => Some(Why::NotEverywhere),
            (_, Reader::Qemu) if register != Register::PsciVersion => Some(Why::NoProperty),
            (Some(bound), _) if is_forgotten && differs(bound.promise) => Some(Why::Forgotten),
            (Some(_), _) => None,
        };
        told.pinned
            .extend(bound.filter(|_| matches!(why, None | Some(Why::Forgotten))));
        told.left.extend(why.map(|why| Left {
            register,
            value: bound.map(|bound| bound.promise),
            why,
            offers,
        }));
    }
    told
}

#[cfg(test)]
mod tests;
