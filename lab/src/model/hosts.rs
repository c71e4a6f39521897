// SPDX-License-Identifier: GPL-2.0

//! The emulated hosts, as `lab/data/hosts.toml` describes them.

mod choice;

use std::collections::BTreeSet;
use std::fmt;

use anyhow::{ensure, Context, Result};
use serde::Deserialize;

use crate::base::kernel::{Handlers, Kernel};
use crate::base::project::Project;
pub use choice::{bootable, chosen, fleet, in_fleet, of_run, with_selftests};

/// How many CPUs our firmware can start, as in `lab/firmware/firmware.h`.
pub const MAX_CPUS: u32 = 8;

/// How much memory a host with our firmware needs, in MiB: the initrd is where the first half ends.
pub const MIN_MEMORY: u32 = 256;

/// A machine that QEMU emulates, with what decides about the promises it can make.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    pub name: String,
    /// QEMU's `-cpu`.
    pub cpu: String,
    /// What the kernel's command line has in addition to what every host has.
    #[serde(default)]
    pub cmdline: String,
    /// In MiB.
    #[serde(default = "default_memory")]
    pub memory: u32,
    #[serde(default = "default_cpus")]
    pub cpus: u32,
    /// What our EL3 firmware answers. Without it, QEMU itself is the firmware, and has no
    /// workaround.
    pub firmware: Option<FirmwareAnswers>,
    /// The oldest QEMU that emulates it, by its major version, where not all do.
    pub qemu: Option<String>,
    /// Whether its kernel boots in EL2, without which there is no KVM.
    #[serde(default = "default_true")]
    pub el2: bool,
    /// Whether its CPUs work at the same time.
    #[serde(default)]
    pub threads: bool,
    /// Whether it takes part in `lab run` and `lab matrix`.
    #[serde(default = "default_true")]
    pub fleet: bool,
    /// Which kernel it runs in the fleet.
    #[serde(default = "default_kernel")]
    pub kernel: Kernel,
    /// What it offers a fresh VM: one of these, by what this QEMU emulates.
    pub offers: Vec<Offer>,
    /// Whether its CPUs, and so its VMs, have SSBS.
    #[serde(default)]
    pub ssbs: bool,
    /// Whether the selftests and the differential run are done on it.
    #[serde(default = "default_true")]
    pub selftests: bool,
}

/// A firmware's answers to `SMCCC_ARCH_FEATURES`: 0 success, 1 unaffected, -1 not supported, -2 not
/// required (WORKAROUND_2 only).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FirmwareAnswers {
    pub workaround_1: i32,
    pub workaround_2: i32,
    pub workaround_3: i32,
}

impl FirmwareAnswers {
    /// In the order of the workarounds.
    pub fn all(self) -> [i32; 3] {
        [self.workaround_1, self.workaround_2, self.workaround_3]
    }

    fn are_known(self) -> bool {
        let known: [&[i32]; 3] = [&[0, 1, -1], &[0, 1, -1, -2], &[0, 1, -1]];
        let mut pairs = self.all().into_iter().zip(known);
        pairs.all(|(answer, known)| known.contains(&answer))
    }
}

/// The values of WORKAROUND_1, _2 and _3, as in `1/3/0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Offer(pub [u64; 3]);

impl TryFrom<String> for Offer {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let values: Vec<u64> = text.split('/').filter_map(|it| it.parse().ok()).collect();
        let values = values.try_into().ok().map(Self);
        // What was left out would be missing here.
        values
            .filter(|offer| offer.to_string() == text)
            .ok_or_else(|| format!("`{text}` is not of the form 1/3/0"))
    }
}

impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [one, two, three] = self.0;
        write!(f, "{one}/{two}/{three}")
    }
}

impl Host {
    /// A host that is nothing but a CPU.
    pub fn with_cpu(cpu: &str) -> Self {
        Self {
            name: cpu.to_owned(),
            cpu: cpu.to_owned(),
            cmdline: String::new(),
            memory: default_memory(),
            cpus: default_cpus(),
            firmware: None,
            qemu: None,
            el2: true,
            threads: false,
            fleet: false,
            kernel: default_kernel(),
            offers: Vec::new(),
            ssbs: false,
            selftests: false,
        }
    }

    /// Whether it can boot.
    pub fn check(&self) -> Result<()> {
        let Some(answers) = self.firmware else {
            return Ok(());
        };
        ensure!(
            answers.are_known(),
            "a firmware answers 0, 1 or -1, and -2 for WORKAROUND_2 only"
        );
        ensure!(
            self.cpus <= MAX_CPUS && self.memory >= MIN_MEMORY,
            "with the firmware it can have {} CPUs, and needs {} MiB",
            MAX_CPUS,
            MIN_MEMORY
        );
        Ok(())
    }

    /// Which of its kernels it boots where one is asked for: not all hosts have both.
    pub fn runs(&self, handlers: Handlers) -> Kernel {
        match (handlers, self.kernel) {
            (Handlers::C, Kernel::Ours(_)) => Handlers::C.into(),
            (_, own) => own,
        }
    }

    fn has_both_kernels(&self) -> bool {
        self.kernel.handlers() == Handlers::Rust
    }

    /// What decides about its promises, in a few words.
    pub fn about(&self) -> String {
        let mut about = format!("{} {}", self.cpu, self.cmdline)
            .trim_end()
            .to_owned();
        if let Some(answers) = self.firmware {
            let [one, two, three] = answers.all();
            about += &format!(", firmware {one}/{two}/{three}");
        }
        match self.kernel {
            Kernel::Ours(Handlers::Rust) | Kernel::Variant(_) => (),
            Kernel::Ours(Handlers::C) => about += ", handlers in C",
            Kernel::Debian(series) => about += &format!(", Debian's Linux {series}"),
        }
        about
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    host: Vec<Host>,
}

fn default_memory() -> u32 {
    512
}

fn default_cpus() -> u32 {
    1
}

fn default_kernel() -> Kernel {
    Handlers::Rust.into()
}

fn default_true() -> bool {
    true
}

/// All hosts, in the order of the file.
pub fn load(project: &Project) -> Result<Vec<Host>> {
    let path = project.root().join("lab/data/hosts.toml");
    parse(&fs_err::read_to_string(&path)?).with_context(|| path.display().to_string())
}

/// The host of that name.
pub fn find<'a>(hosts: &'a [Host], name: &str) -> Result<&'a Host> {
    hosts
        .iter()
        .find(|host| host.name == name)
        .with_context(|| format!("lab/data/hosts.toml has no host `{name}`"))
}

fn parse(text: &str) -> Result<Vec<Host>> {
    let hosts = toml::from_str::<File>(text)?.host;

    ensure!(!hosts.is_empty(), "no hosts");

    let mut names = BTreeSet::new();
    for host in &hosts {
        // Names become words of the console protocol and parts of file names.
        ensure!(
            !host.name.is_empty()
                && host
                    .name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-.".contains(c)),
            "`{}`: a host's name has letters, digits, `-` and `.` only",
            host.name
        );
        ensure!(names.insert(&host.name), "two hosts named `{}`", host.name);
        check(host).with_context(|| format!("host {}", host.name))?;
    }
    Ok(hosts)
}

fn check(host: &Host) -> Result<()> {
    ensure!(
        host.offers.is_empty() != host.el2,
        "`offers` is for hosts with KVM, and must be there"
    );
    host.check()
}

#[cfg(test)]
mod tests;
