// SPDX-License-Identifier: GPL-2.0

//! Fleets as files tell them: what hosts offer, and what was saved from VMs.
//!
//! Hosts and dumps are JSON objects, one on each line of a file (JSON Lines):
//!
//! ```text
//! {"host": "n1", "offers": ["0x6030000000140002 0x0", ...], "offers_ssbs_hidden": ["0x6030000000140002 0x3"]}
//! {"dump": "vm-1", "registers": ["0x6030000000140000 0x10003", ...]}
//! ```
//!
//! A register is a line of `fw_regs_vmm`, as a string: numbers of 64 bits do not survive every
//! reader of JSON.
//!
//! | key of a host | |
//! | --- | --- |
//! | `host` | its name |
//! | `about` | anything, for people (optional) |
//! | `kernel` | who serves the registers there, `rust` or `c` (optional: `rust`) |
//! | `offers` | the best that it can keep for a VM whose vCPUs have `KVM_ARM_VCPU_PSCI_0_2`. A register that is missing is one that its kernel does not know |
//! | `offers_ssbs_hidden` | what it offers else to a VM from which `ID_AA64PFR1_EL1.SSBS` is hidden (optional) |
//!
//! A fresh VM shows what its host offers, except for VENDOR_HYP_BMAP_2, which starts at 0: the
//! trace event of a write to it tells its offer.
//!
//! | key of a dump | |
//! | --- | --- |
//! | `dump` | its name |
//! | `registers` | what was saved |
//! | `psci_0_2` | whether the VM's vCPUs have `KVM_ARM_VCPU_PSCI_0_2` (optional: true) |
//! | `ssbs_visible` | whether the VM sees SSBS on hosts that have it (optional: true) |

pub mod file;
mod lines;
pub mod matrix;

use planner::{Dump, Dumps, Host, Hosts, Kind, Offers};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::base::project::Handlers;
use crate::model::reason::Reason;
use crate::model::registers::{self, Id};
pub use lines::Registers;

/// A host, with what it can keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "HostEntry", try_from = "HostEntry")]
pub struct HostOffers {
    pub host: Host,
    /// For people.
    pub about: String,
    pub kernel: Handlers,
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
        Self::try_from(HostEntry {
            host: name.to_owned(),
            about,
            kernel,
            offers,
            offers_ssbs_hidden,
        })
    }
}

/// A host in a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a host")]
struct HostEntry {
    host: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default = "rust", skip_serializing_if = "is_rust")]
    kernel: Handlers,
    offers: Registers,
    #[serde(default, skip_serializing_if = "Registers::is_empty")]
    offers_ssbs_hidden: Registers,
}

impl TryFrom<HostEntry> for HostOffers {
    type Error = String;

    fn try_from(entry: HostEntry) -> Result<Self, String> {
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
            host: Host {
                name,
                offers,
                ssbs_hidden,
            },
            about: entry.about,
            kernel: entry.kernel,
        })
    }
}

impl From<HostOffers> for HostEntry {
    fn from(
        HostOffers {
            host,
            about,
            kernel,
        }: HostOffers,
    ) -> Self {
        let hidden = host.ssbs_hidden.values();
        let hidden = hidden.zip(host.offers.values());
        let hidden = hidden.filter(|(hidden, visible)| hidden != visible);
        let registers = |values: Vec<(Id, u64)>| {
            Registers::new(values).expect("the policy knows each register once")
        };
        Self {
            offers: registers(host.offers.values().collect()),
            offers_ssbs_hidden: registers(hidden.map(|(hidden, _)| hidden).collect()),
            host: host.name,
            about,
            kernel,
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
            let (name, value) = (registers::name(id), registers::long(id, value));
            format!(
                "no offer: {name} = {value}: {}",
                Reason::from(reason).text()
            )
        })?;
    }
    Ok(offers)
}

/// What was saved from a VM, and what kind of VM that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a dump")]
pub struct SavedVm {
    #[serde(rename = "dump")]
    pub name: String,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub psci_0_2: bool,
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub ssbs_visible: bool,
    #[serde(deserialize_with = "some")]
    pub registers: Registers,
}

impl SavedVm {
    /// A VM as `fw_regs_vmm` makes it.
    pub fn new(name: &str, registers: Registers) -> Self {
        Self {
            name: name.to_owned(),
            psci_0_2: true,
            ssbs_visible: true,
            registers,
        }
    }
}

impl From<SavedVm> for Dump {
    fn from(vm: SavedVm) -> Self {
        Self {
            name: vm.name,
            kind: Kind {
                psci_0_2: vm.psci_0_2,
                ssbs_visible: vm.ssbs_visible,
            },
            registers: vm.registers.iter().collect(),
        }
    }
}

/// Puts together what is equal.
pub fn grouped(hosts: Vec<HostOffers>, dumps: Vec<SavedVm>) -> (Hosts, Vec<Dumps>) {
    let dumps: Vec<Dump> = dumps.into_iter().map(Dump::from).collect();
    let kinds = dumps.iter().map(|dump| dump.kind).collect();
    let hosts: Vec<Host> = hosts.into_iter().map(|host| host.host).collect();
    (Hosts::new(hosts, &kinds), Dumps::group(dumps))
}

/// Registers, and not none.
fn some<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Registers, D::Error> {
    let registers = Registers::deserialize(deserializer)?;
    if registers.is_empty() {
        return Err(D::Error::custom("a dump with no registers"));
    }
    Ok(registers)
}

fn rust() -> Handlers {
    Handlers::Rust
}

fn is_rust(handlers: &Handlers) -> bool {
    *handlers == Handlers::Rust
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = concat!(
        r#"{"host":"n1","offers":["0x6030000000140000 0x10003","0x6030000000140002 0x0"],"#,
        r#""offers_ssbs_hidden":["0x6030000000140002 0x3"]}"#
    );
    const DUMP: &str = r#"{"dump":"vm","ssbs_visible":false,"registers":["0x6030000000140002 0x3","0x6030000000140004 0x0"]}"#;

    #[test]
    fn hosts_and_dumps_survive_their_text() {
        let host: HostOffers = serde_json::from_str(HOST).unwrap();
        assert_eq!(serde_json::to_string(&host).unwrap(), HOST);
        assert_ne!(host.host.offers, host.host.ssbs_hidden);

        let vm: SavedVm = serde_json::from_str(DUMP).unwrap();
        assert_eq!(serde_json::to_string(&vm).unwrap(), DUMP);
        assert!(vm.psci_0_2 && !vm.ssbs_visible);
    }

    #[test]
    fn bad_hosts_are_refused() {
        let hidden = r#""offers":["0x6030000000140002 0x3"],"offers_ssbs_hidden":["#;
        let cases = [
            (r#""offers": []"#, "host n1 has no offers"),
            (
                r#""offers":["0x6030000000140004 0x1"]"#,
                "no offer: 0x6030000000140004 = 0x1: unknown register",
            ),
            (
                r#""offers":["0x6030000000140003 0x7"]"#,
                "SMCCC_ARCH_WORKAROUND_3 = 7: malformed",
            ),
            (
                r#""offers":["0x6030000000140000 0x1"]"#,
                "PSCI_VERSION = 0.1: wrong vCPU feature",
            ),
            (r#""offers":["140002"]"#, "not of the form"),
            (
                &format!("{hidden}\"0x6030000000140002 0x0\"]"),
                "or offers less, where SSBS is hidden",
            ),
            (
                &format!("{hidden}\"0x6030000000140001 0x0\"]"),
                "does not offer the same registers",
            ),
            (r#""offerz":[]"#, "unknown field `offerz`"),
        ];
        for (keys, message) in cases {
            let line = format!(r#"{{"host":"n1",{keys}}}"#);
            let error = serde_json::from_str::<HostOffers>(&line).unwrap_err();
            assert!(error.to_string().contains(message), "{line}: {error}");
        }
    }

    #[test]
    fn bad_dumps_are_refused() {
        let cases = [
            (r#""registers":[]"#, "no registers"),
            (
                r#""registers":["0x603000000013c021 0x0"]"#,
                "not a firmware pseudo-register",
            ),
            (
                r#""registers":["0x6030000000140001 0x1","0x6030000000140001 0x2"]"#,
                "twice",
            ),
            (r#""registers":["0x6030000000140001 -"]"#, "not of the form"),
            (r#""registers":{}"#, "invalid type"),
        ];
        for (keys, message) in cases {
            let line = format!(r#"{{"dump":"vm",{keys}}}"#);
            let error = serde_json::from_str::<SavedVm>(&line).unwrap_err();
            assert!(error.to_string().contains(message), "{line}: {error}");
        }
    }
}
