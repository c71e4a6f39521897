// SPDX-License-Identifier: GPL-2.0

//! The hosts of a fleet, grouped so that equal offers are judged once.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use clap::ValueEnum;
use fw_regs_policy::Register;
use serde::{Deserialize, Serialize};

use crate::lines::Registers;
use crate::reason::Reason;
use crate::registers::{long, name};
use crate::{Kind, Offers, SavedVm};

/// Which implementation of the handlers a kernel has.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, ValueEnum,
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

    /// What it offers to a VM of this kind.
    fn to(&self, vm: Kind) -> Offers {
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

/// All hosts.
pub struct Hosts {
    /// Those with equal offers together, by name.
    groups: Vec<Vec<String>>,
    /// What each kind of VM is offered; by register, in the order of the UAPI.
    columns: HashMap<Kind, Vec<Vec<Offered>>>,
    everyone: Offered,
    /// Who makes offers: indices of groups. Each offer has a part of it.
    members: Vec<usize>,
}

/// One of the offers that are made for a register.
#[derive(Debug)]
pub struct Offered {
    /// None: the register is unknown there.
    pub offer: Option<u64>,
    /// How many hosts make it.
    pub hosts: usize,
    members: Range<usize>,
}

impl Hosts {
    /// For dumps of these kinds.
    pub fn new(hosts: Vec<HostOffers>, kinds: &HashSet<Kind>) -> Self {
        let mut groups: Vec<Vec<String>> = Vec::new();
        let mut examples = Vec::new();
        let mut places = HashMap::new();
        for host in hosts {
            let key = (host.offers, host.ssbs_hidden);
            let place = *places.entry(key).or_insert(groups.len());
            if place == groups.len() {
                groups.push(Vec::new());
                examples.push(host.clone());
            }
            groups[place].push(host.name);
        }

        let mut members = Vec::from_iter(0..groups.len());
        let everyone = Offered {
            offer: None,
            hosts: groups.iter().map(Vec::len).sum(),
            members: 0..members.len(),
        };
        let mut columns = HashMap::new();
        for kind in kinds {
            let offers = examples.iter().map(|host| host.to(*kind).by_register());
            let offers: Vec<_> = offers.collect();
            let registers = (0..Register::ALL.len()).map(|place| {
                let offers = offers.iter().map(|offers| offers[place]);
                column(&groups, offers, &mut members)
            });
            columns.insert(*kind, registers.collect());
        }
        Self {
            groups,
            columns,
            everyone,
            members,
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.everyone.hosts
    }

    /// By name, those with equal offers together.
    pub fn groups(&self) -> &[Vec<String>] {
        &self.groups
    }

    /// What is offered to VMs of a kind that was announced: by register, in the order of the UAPI;
    /// for each, what most hosts offer first.
    pub fn offered(&self, kind: Kind) -> &[Vec<Offered>] {
        &self.columns[&kind]
    }

    /// What all hosts make of a register that the policy does not know.
    pub fn everyone(&self) -> &Offered {
        &self.everyone
    }

    /// The groups of the hosts that make this offer, by index.
    pub fn members(&self, offered: &Offered) -> &[usize] {
        &self.members[offered.members.clone()]
    }

    /// The names of the hosts in these groups.
    pub fn names<'a>(&'a self, groups: &'a [usize]) -> impl Iterator<Item = &'a str> + Clone {
        let groups = groups.iter().map(|index| &self.groups[*index]);
        groups.flat_map(|group| group.iter().map(String::as_str))
    }
}

/// One register's offers, with who makes them.
fn column(
    groups: &[Vec<String>],
    offers: impl Iterator<Item = Option<u64>>,
    members: &mut Vec<usize>,
) -> Vec<Offered> {
    let mut column: Vec<(Option<u64>, Vec<usize>)> = Vec::new();
    let mut places = HashMap::new();
    for (index, offer) in offers.enumerate() {
        let place = *places.entry(offer).or_insert(column.len());
        if place == column.len() {
            column.push((offer, Vec::new()));
        }
        column[place].1.push(index);
    }
    let offered = column.into_iter().map(|(offer, made_by)| {
        let start = members.len();
        members.extend(&made_by);
        Offered {
            offer,
            hosts: made_by.iter().map(|index| groups[*index].len()).sum(),
            members: start..members.len(),
        }
    });
    let mut offered: Vec<Offered> = offered.collect();
    offered.sort_by_key(|offered| Reverse(offered.hosts));
    offered
}

#[cfg(test)]
mod tests;
