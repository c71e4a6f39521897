// SPDX-License-Identifier: GPL-2.0

//! The sample module `rust_kvm_offers`: what it logs when a host boots is what KVM offers a fresh
//! VM there.

use anyhow::{ensure, Context, Result};

use crate::ask::vmm;
use crate::base::kernel::Handlers;
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::build::Built;
use crate::model::dump::Dump;
use crate::model::hosts;
use crate::model::registers::{
    Id, STD_BMAP, STD_HYP_BMAP, VENDOR_HYP_BMAP, WORKAROUND_1, WORKAROUND_3,
};
use crate::model::results::{Case, Groups};
use crate::verify::boots::{Boots, Plan};

/// The commands: what the sample logged, and a fresh VM.
const LOG: &str = "offers:log";
const DUMP: &str = "offers:dump";

/// What the lines of the log are about.
const LOGGED: [(&str, Id); 5] = [
    ("SMCCC_ARCH_WORKAROUND_1", WORKAROUND_1),
    ("SMCCC_ARCH_WORKAROUND_3", WORKAROUND_3),
    ("Std", STD_BMAP),
    ("StdHyp", STD_HYP_BMAP),
    ("VendorHyp", VENDOR_HYP_BMAP),
];

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
    let hosts = hosts::with_selftests(project)?;
    let groups = Handlers::ALL.map(|handlers| {
        let cases = hosts.iter().map(|host| {
            let transcript = boots.transcript(&host.name, handlers);
            Case::from_result(&host.name, transcript.and_then(compare))
        });
        (format!("offers/{}", handlers.name()), cases.collect())
    });
    Ok(groups.into())
}

fn compare(transcript: &Transcript) -> Result<()> {
    let log = &transcript.section(LOG)?.output;
    let dump = Dump::parse("a fresh VM", &transcript.section(DUMP)?.output)?;
    for (name, id) in LOGGED {
        let value = dump.value(id).with_context(|| format!("no {name}"))?;
        let offer = match (id, value) {
            (WORKAROUND_1 | WORKAROUND_3, 0) => "Vulnerable".to_owned(),
            (WORKAROUND_1 | WORKAROUND_3, 1) => "Mitigated".to_owned(),
            (WORKAROUND_1 | WORKAROUND_3, 2) => "Unaffected".to_owned(),
            _ => format!("{value:#x}"),
        };
        let line = format!("rust_kvm_offers: {name}: {offer}");
        ensure!(
            log.lines().any(|logged| logged.ends_with(&line)),
            "a fresh VM shows `{line}`, the log is\n{log}"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::boots::testing::transcript;

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
        compare(&transcript(&[(LOG, log), (DUMP, dump)]))
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
