// SPDX-License-Identifier: GPL-2.0

//! A host, with what it offers.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::lines::Registers;
use crate::reason::Reason;
use crate::registers::{long, name};
use crate::{Kind, Offers, SavedVm};

/// Which implementation of the handlers a kernel has.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Handlers {
    C,
    #[default]
    Rust,
}

impl Handlers {
    pub const ALL: [Self; 2] = [Self::Rust, Self::C];

    pub fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Rust => "rust",
        }
    }

    /// As people write it.
    pub fn label(self) -> &'static str {
        match self {
            Self::C => "C",
            Self::Rust => "Rust",
        }
    }
}

/// A host, with what it can keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Entry", try_from = "Entry")]
pub struct HostOffers {
    pub name: String,
    /// For people.
    pub about: String,
    pub kernel: Handlers,
    /// For a VM as the host makes it.
    pub offers: Offers,
    /// For a VM from which SSBS is hidden: no less.
    pub ssbs_hidden: Offers,
}

/// A host in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a host")]
struct Entry {
    host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default, skip_serializing_if = "is_rust")]
    kernel: Handlers,
    offers: Registers,
    #[serde(default, skip_serializing_if = "Registers::is_empty")]
    offers_ssbs_hidden: Registers,
}

fn is_rust(kernel: &Handlers) -> bool {
    *kernel == Handlers::Rust
}

impl TryFrom<Entry> for HostOffers {
    type Error = String;

    fn try_from(entry: Entry) -> Result<Self, String> {
        let name = entry.host;
        if entry.offers.is_empty() {
            return Err(format!("host {name} has no offers"));
        }
        let offers = add(Offers::default(), &entry.offers)?;
        let ssbs_hidden = add(offers, &entry.offers_ssbs_hidden)?;
        if !offers.within(&ssbs_hidden) {
            return Err(format!(
                "host {name} does not offer the same registers, or offers less, where SSBS is hidden"
            ));
        }
        Ok(Self {
            name,
            about: entry.about,
            kernel: entry.kernel,
            offers,
            ssbs_hidden,
        })
    }
}

impl From<HostOffers> for Entry {
    fn from(host: HostOffers) -> Self {
        let hidden = host.ssbs_hidden.values().zip(host.offers.values());
        let hidden = hidden.filter(|(hidden, visible)| hidden != visible);
        Self {
            offers: Registers::of_policy(host.offers.values()),
            offers_ssbs_hidden: Registers::of_policy(hidden.map(|(hidden, _)| hidden)),
            host: host.name,
            about: host.about,
            kernel: host.kernel,
        }
    }
}

/// Those offers, and others in their place.
///
/// # Errors
///
/// What the policy has no place for, or no meaning.
fn add(mut offers: Offers, others: &Registers) -> Result<Offers, String> {
    for (id, value) in others.iter() {
        offers.offer(id, value).map_err(|reason| {
            let why = Reason::from(reason).text();
            format!("no offer: {} = {}: {why}", name(id), long(id, value))
        })?;
    }
    Ok(offers)
}

impl HostOffers {
    /// # Errors
    ///
    /// What the policy has no place for, or no meaning.
    pub fn new(
        name: &str,
        about: String,
        kernel: Handlers,
        offers: Registers,
        offers_ssbs_hidden: Registers,
    ) -> Result<Self, String> {
        Self::try_from(Entry {
            host: name.to_owned(),
            about,
            kernel,
            offers,
            offers_ssbs_hidden,
        })
    }

    /// What a fresh VM shows that was made there. More may be offered of VENDOR_HYP_BMAP_2, and where
    /// SSBS is hidden: no VM shows that.
    ///
    /// # Errors
    ///
    /// What the policy has no place for, or no meaning.
    pub fn of_fresh(vm: SavedVm, about: String) -> Result<Self, String> {
        let hidden = Registers::default();
        Self::new(&vm.name, about, Handlers::default(), vm.registers, hidden)
    }

    /// A fresh VM that was made there, named like the host.
    pub fn fresh_vm(&self) -> SavedVm {
        let registers = Registers::of_policy(self.offers.fresh().values());
        SavedVm::new(&self.name, registers)
    }

    /// What it offers to a VM of this kind.
    pub(crate) fn to(&self, vm: Kind) -> Offers {
        let offers = match vm.ssbs_visible {
            true => self.offers,
            false => self.ssbs_hidden,
        };
        match vm.psci_0_2 {
            true => offers,
            false => offers.without_psci_0_2(),
        }
    }
}

#[cfg(test)]
mod tests;
