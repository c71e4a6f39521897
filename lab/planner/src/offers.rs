// SPDX-License-Identifier: GPL-2.0

//! What a host can keep.

use fw_regs_policy::{judge, promises_nothing, PsciVersion, Reason, Register, State};

/// A value for each register, in the order of the UAPI.
pub type Values = [Option<u64>; Register::ALL.len()];

/// The best that a host can keep, by register. None: its kernel does not know the register.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Offers(Values);

impl Offers {
    /// Has the register offered that value to VMs whose vCPUs have `KVM_ARM_VCPU_PSCI_0_2`.
    ///
    /// # Errors
    ///
    /// The policy does not know the register, or the value means nothing in it.
    pub fn offer(&mut self, id: u64, value: u64) -> Result<(), Reason> {
        let place = place(id).ok_or(Reason::UnknownRegister)?;
        self.0[place] = Some(Register::ALL[place].parse(value, true)?);
        Ok(())
    }

    /// In the order of the UAPI.
    pub fn by_register(&self) -> Values {
        self.0
    }

    /// What a VM shows in which nothing was stored.
    pub(crate) fn fresh(mut self) -> Self {
        for (register, value) in Register::ALL.iter().zip(&mut self.0) {
            // Services that a VMM has to ask for.
            if *register == Register::VendorHypBmap2 {
                *value = value.map(|_| 0);
            }
        }
        self
    }

    /// The registers that are known, by id, with the values offered.
    pub fn values(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let offers = Register::ALL.iter().zip(&self.0);
        offers.filter_map(|(register, offer)| Some((u64::from(*register), (*offer)?)))
    }

    /// The same registers, none of them with less in `other`.
    pub fn within(&self, other: &Self) -> bool {
        let pairs = self.0.iter().zip(&other.0);
        let mut pairs = Register::ALL.iter().zip(pairs);
        pairs.all(|(register, pair)| match pair {
            (Some(offer), Some(other)) => register.fits(*offer, *other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        })
    }

    /// As they are for VMs whose vCPUs lack `KVM_ARM_VCPU_PSCI_0_2`.
    pub(crate) fn without_psci_0_2(mut self) -> Self {
        for (register, offer) in Register::ALL.iter().zip(&mut self.0) {
            if *register == Register::PsciVersion {
                *offer = offer.map(|_| PsciVersion::newest(false).into());
            }
        }
        self
    }
}

/// Why a host refuses a value of the policy's in a VM that has not run.
pub(crate) fn refusal(
    register: Register,
    value: u64,
    offer: Option<u64>,
    null_promises: bool,
) -> Option<Reason> {
    match offer {
        Some(offer) => exceeds(register, value, offer),
        None if null_promises && promises_nothing(register.into(), value) => None,
        None => Some(Reason::UnknownRegister),
    }
}

/// Why a host that offers that refuses it.
pub(crate) fn exceeds(register: Register, value: u64, offer: u64) -> Option<Reason> {
    // What a VM has that has not run decides nothing.
    let state = State {
        offer,
        promise: offer,
        has_run: false,
    };
    judge(register, register.retention(true), value, &state).err()
}

/// A register's place in the order of the UAPI. None: the policy does not know it.
pub(crate) fn place(id: u64) -> Option<usize> {
    let mut registers = Register::ALL.iter();
    registers.position(|register| u64::from(*register) == id)
}
