// SPDX-License-Identifier: GPL-2.0

//! The hosts of a fleet, grouped so that equal offers are judged once.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::mem;
use std::ops::Range;

use fw_regs_policy::Register;

use crate::{HostOffers, Kind};

/// All hosts.
pub struct Hosts {
    /// Those with equal offers together, by name.
    groups: Vec<Vec<String>>,
    /// One of each group, without its name.
    examples: Vec<HostOffers>,
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
        Self::by(hosts, kinds, |_| ())
    }

    /// Those with equal offers are told apart by a key.
    pub(crate) fn by<K: Eq + Hash>(
        hosts: Vec<HostOffers>,
        kinds: &HashSet<Kind>,
        key: impl Fn(&HostOffers) -> K,
    ) -> Self {
        let mut groups: Vec<Vec<String>> = Vec::new();
        let mut examples = Vec::new();
        let mut places = HashMap::new();
        for mut host in hosts {
            let key = (host.offers, host.ssbs_hidden, key(&host));
            let place = *places.entry(key).or_insert(groups.len());
            let name = mem::take(&mut host.name);
            if place == groups.len() {
                groups.push(Vec::new());
                host.about.clear();
                examples.push(host);
            }
            groups[place].push(name);
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
            examples,
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

    /// One host of each group, without its name.
    pub(crate) fn examples(&self) -> &[HostOffers] {
        &self.examples
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
    pub fn members(&self, offered: &Offered) -> impl Iterator<Item = usize> + Clone + '_ {
        self.members[offered.members.clone()].iter().copied()
    }

    /// The names of the hosts in these groups.
    pub fn names<'a>(
        &'a self,
        groups: impl Iterator<Item = usize> + Clone + 'a,
    ) -> impl Iterator<Item = &'a str> + Clone {
        let names = groups.flat_map(|index| &self.groups[index]);
        names.map(String::as_str)
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
