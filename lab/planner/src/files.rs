// SPDX-License-Identifier: GPL-2.0

//! Fleets as files tell them: what hosts offer, and what was saved from VMs.
//!
//! There may be many files, in any mixture of forms; each is known by its content. What is broken is
//! told with its line, and the rest is read.
//!
//! | form | |
//! | --- | --- |
//! | JSON Lines | hosts or dumps, as below |
//! | `matrix.json` | all its hosts, or all its dumps |
//! | fingerprint | what Firecracker's `cpu-template-helper fingerprint dump` writes; a template of `template dump`, too |
//! | registers | what `fw_regs_vmm dump` prints, with or without `-a` |
//!
//! The last two are one fresh VM, which is what its host offers, or a dump, named like the file. Of
//! all its registers the pseudo-registers are kept, and `ID_AA64PFR1_EL1` tells whether it sees SSBS.
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

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, Error, Result};
use serde::de::DeserializeOwned;

use crate::dumps::Grouping;
use crate::matrix::Matrix;
use crate::{Dumps, HostOffers, SavedVm};

mod entries;
mod firecracker;
mod paths;

pub const HOSTS_HELP: &str = "hosts are lines like {\"host\": \"h1\", \"offers\": [\"0x<id> 0x<value>\", \
                              ...]}, a matrix.json, or for each host a fingerprint of Firecracker's \
                              or what fw_regs_vmm prints of a fresh VM";
pub const DUMPS_HELP: &str = "dumps are lines like {\"dump\": \"vm-1\", \"registers\": [\"0x<id> \
                              0x<value>\", ...]}, a matrix.json, or for each VM a fingerprint of \
                              Firecracker's or what fw_regs_vmm prints of it";

/// Follows the reading of files.
pub trait Watch {
    /// So many bytes will be read.
    fn total(&mut self, _bytes: u64) {}

    /// So many more have been read.
    fn bytes(&mut self, _count: usize) {}

    /// Something cannot be read: a line or a file.
    fn broken(&mut self, error: Error);
}

/// What files have many of.
trait Entry: DeserializeOwned {
    const WHAT: &str;

    fn name(&self) -> &str;

    fn of_matrix(matrix: Matrix) -> Vec<Self>;

    /// What a fresh VM shows.
    fn of_fresh(vm: SavedVm, about: String) -> Result<Self, String>;
}

impl Entry for HostOffers {
    const WHAT: &str = "host";

    fn name(&self) -> &str {
        &self.name
    }

    fn of_matrix(matrix: Matrix) -> Vec<Self> {
        matrix.hosts
    }

    fn of_fresh(vm: SavedVm, about: String) -> Result<Self, String> {
        Self::of_fresh(vm, about)
    }
}

impl Entry for SavedVm {
    const WHAT: &str = "dump";

    fn name(&self) -> &str {
        &self.name
    }

    fn of_matrix(matrix: Matrix) -> Vec<Self> {
        matrix.dumps
    }

    fn of_fresh(vm: SavedVm, _about: String) -> Result<Self, String> {
        Ok(vm)
    }
}

/// The hosts of files.
pub fn hosts(paths: &[PathBuf], watch: &mut dyn Watch) -> Vec<HostOffers> {
    let mut hosts = Vec::new();
    read(paths, watch, |host| hosts.push(host));
    hosts
}

/// The dumps of files, those that are equal together.
pub fn dumps(paths: &[PathBuf], watch: &mut dyn Watch) -> Vec<Dumps> {
    let mut dumps = Grouping::default();
    read(paths, watch, |dump| dumps.add(dump));
    dumps.groups
}

pub fn matrix(path: &Path) -> Result<Matrix> {
    let text = fs_err::read_to_string(path)?;
    entries::whole(&path.display().to_string(), &text)
}

/// Reads all files. Each entry has a name of its own.
fn read<T: Entry>(paths: &[PathBuf], watch: &mut dyn Watch, mut take: impl FnMut(T)) {
    let sources = paths::expand(paths, watch);
    let sizes = sources
        .iter()
        .filter_map(|source| source.path.metadata().ok());
    watch.total(sizes.map(|size| size.len()).sum());
    let mut names = HashSet::new();
    for source in &sources {
        entries::read(source, watch, &mut |place, entry: T| {
            if !names.insert(Box::<str>::from(entry.name())) {
                let (what, name) = (T::WHAT, entry.name());
                return Err(anyhow!("{place}: another {what} named `{name}`"));
            }
            take(entry);
            Ok(())
        });
    }
}

#[cfg(test)]
impl Watch for Vec<String> {
    fn broken(&mut self, error: Error) {
        self.push(format!("{error:#}"));
    }
}
