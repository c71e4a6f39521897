// SPDX-License-Identifier: GPL-2.0

//! The sample module `rust_kvm_offers`: what it logs when a host boots is what KVM offers a fresh
//! VM there.

use std::sync::LazyLock;

use anyhow::{ensure, Context, Result};
use regex::Regex;

use crate::ask::vmm;
use crate::base::project::{Handlers, Project};
use crate::boot::console::Transcript;
use crate::build::Built;
use crate::model::dump::Dump;
use crate::model::hosts;
use crate::model::registers::{
    hex, Id, STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP, WORKAROUND_1, WORKAROUND_3,
};
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::boots::{Boots, Plan};

/// The commands: what the sample logged, and a fresh VM.
const LOG: &str = "offers:log";
const DUMP: &str = "offers:dump";

/// The lines of the log, and the registers that they are about.
const STATES: [(&str, Id); 2] = [
    ("SMCCC_ARCH_WORKAROUND_1", WORKAROUND_1),
    ("SMCCC_ARCH_WORKAROUND_3", WORKAROUND_3),
];
const SERVICES: [(&str, Id); 3] = [
    ("Std", STD_BMAP),
    ("StdHyp", STD_HYP_BMAP),
    ("VendorHyp", VENDOR_HYP_BMAP),
];

static LINE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"rust_kvm_offers: (\w+): (\w+)").expect("a valid pattern"));

pub fn plan(project: &Project, built: &Built, plan: &mut Plan) -> Result<()> {
    for host in hosts::with_selftests(project)? {
        for handlers in Handlers::ALL {
            let job = plan.job(&host.name, handlers);
            job.program(vmm::PROGRAM, &built.vmm);
            job.command(LOG, 10, "dmesg | grep -F rust_kvm_offers:");
            job.command(DUMP, 10, format!("/{} dump", vmm::PROGRAM));
        }
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let mut groups = Groups::new();
    for handlers in Handlers::ALL {
        let cases = hosts::with_selftests(project)?
            .iter()
            .map(|host| {
                let result = boots
                    .transcript(&host.name, handlers)
                    .and_then(|transcript| compare(&host.name, transcript));
                Case::from_result(&host.name, result)
            })
            .collect();
        groups.push((format!("offers/{}", handlers.name()), cases));
    }
    Ok(groups)
}

fn compare(host: &str, transcript: &Transcript) -> Result<()> {
    let log = &transcript.section(LOG)?.output;
    let dump = Dump::parse(host, &transcript.section(DUMP)?.output)?;
    for (name, id) in STATES {
        let state = logged(log, name)?;
        let level = level(state).with_context(|| format!("{name}: `{state}` is no state"))?;
        ensure!(
            dump.value(id) == Some(level),
            "{name}: the log says {state}, a fresh VM shows {:?}",
            dump.value(id)
        );
    }
    for (name, id) in SERVICES {
        let services = logged(log, name)?;
        ensure!(
            hex(services).is_some() && dump.value(id) == hex(services),
            "{name}: the log says {services}, a fresh VM shows {:?}",
            dump.value(id)
        );
    }
    Ok(())
}

/// What the log says about that.
fn logged<'a>(log: &'a str, name: &str) -> Result<&'a str> {
    LINE.captures_iter(log)
        .map(|captures| captures.extract().1)
        .find(|[found, _]| *found == name)
        .map(|[_, value]| value)
        .with_context(|| format!("the sample logged nothing about {name}"))
}

/// The level of a workaround that KVM offers in that state of the host.
fn level(state: &str) -> Option<u64> {
    match state {
        "Vulnerable" => Some(0),
        "Mitigated" => Some(1),
        "Unaffected" => Some(2),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boot::console::Section;

    const LOGGED: &str = "\
        [    0.3] rust_kvm_offers: SMCCC_ARCH_WORKAROUND_1: Mitigated\n\
        [    0.3] rust_kvm_offers: SMCCC_ARCH_WORKAROUND_3: Unaffected\n\
        [    0.3] rust_kvm_offers: Std: 0x1\n\
        [    0.3] rust_kvm_offers: StdHyp: 0x1\n\
        [    0.3] rust_kvm_offers: VendorHyp: 0x3\n";

    const DUMPED: &str = "\
        0x6030000000140001 0x1\n0x6030000000140003 0x2\n0x6030000000160000 0x1\n\
        0x6030000000160001 0x1\n0x6030000000160002 0x3\n";

    fn compared(log: &str, dump: &str) -> Result<()> {
        let section = |name: &str, output: &str| Section {
            name: name.to_owned(),
            status: 0,
            output: output.to_owned(),
        };
        compare(
            "host",
            &Transcript {
                kernel: String::new(),
                served: String::new(),
                sections: vec![section(LOG, log), section(DUMP, dump)],
            },
        )
    }

    #[test]
    fn a_log_that_tells_the_offers_is_good() {
        compared(LOGGED, DUMPED).unwrap();
    }

    #[test]
    fn any_other_is_not() {
        for (old, new) in [
            ("WORKAROUND_1: Mitigated", "WORKAROUND_1: Vulnerable"),
            ("Unaffected", "Mitigated"),
            ("Unaffected", "unknown"),
            ("Std: 0x1", "Std: 0x0"),
            ("VendorHyp: 0x3", "VendorHyp: three"),
            ("rust_kvm_offers: StdHyp", "StdHyp"),
        ] {
            assert!(
                compared(&LOGGED.replacen(old, new, 1), DUMPED).is_err(),
                "{old}"
            );
        }
    }
}
