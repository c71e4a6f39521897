// SPDX-License-Identifier: GPL-2.0

//! The hosts: each offers what `lab/data/hosts.toml` says, so that all who read it can rely on it.

use anyhow::{ensure, Context, Result};

use crate::ask::vmm;
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::build::Built;
use crate::model::dump::Dump;
use crate::model::hosts::{self, Host, Offer};
use crate::model::registers::{WORKAROUND_1, WORKAROUND_2, WORKAROUND_3};
use crate::model::results::{Case, Groups};
use crate::verify::boots::{cases_or_failure, Boots, Plan};

/// What the kernel says of CPUs that have it. VMs have it then, unless the VMM hides it.
const SSBS: &str = "detected: Speculative Store Bypassing Safe (SSBS)";

const DUMP: &str = "hosts:dump";
const FEATURES: &str = "hosts:features";
const ONLINE: &str = "hosts:online";
const KVM: &str = "hosts:kvm";

/// What a kernel says of KVM where there is no EL2.
const NO_KVM: &str = "HYP mode not available";

pub fn plan(project: &Project, built: &Built, plan: &mut Plan) -> Result<()> {
    for host in hosts::bootable(project)? {
        let job = plan.job(&host.name, host.kernel);
        job.program(vmm::PROGRAM, &built.vmm);
        job.command(DUMP, 10, format!("/{} dump", vmm::PROGRAM));
        job.command(FEATURES, 10, "dmesg | grep -F 'CPU features: detected'");
        job.command(ONLINE, 10, "grep -c ^processor /proc/cpuinfo");
        job.command(KVM, 10, "dmesg | grep ^kvm");
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let mut groups = groups(&hosts::bootable(project)?, boots);
    let left_out = hosts::chosen(project)?.into_iter();
    let left_out = left_out.filter(|host| groups.iter().all(|(name, _)| *name != place(host)));
    let skipped = left_out.map(|host| (place(&host), vec![Case::skip("boot", "no such kernel")]));
    groups.extend(Vec::from_iter(skipped));
    Ok(groups)
}

fn groups(hosts: &[Host], boots: &Boots) -> Groups {
    let groups = hosts.iter().map(|host| {
        let transcript = boots.transcript(&host.name, host.kernel);
        let cases = cases_or_failure(transcript.and_then(|it| cases(host, it)));
        (place(host), cases)
    });
    groups.collect()
}

fn place(host: &Host) -> String {
    format!("{}/{}", host.name, host.kernel)
}

fn cases(host: &Host, transcript: &Transcript) -> Result<Vec<Case>> {
    let said = |name| transcript.section(name).map(|it| it.output.trim());
    let ssbs = said(FEATURES)?.contains(SSBS);
    let online = said(ONLINE)?;
    let wanted = host.ssbs;
    Ok(vec![
        match host.el2 {
            true => Case::from_result("offers", offers(host, transcript)),
            false => Case::from_result("no KVM", no_kvm(said(KVM)?)),
        },
        Case::good_or(
            ssbs == wanted,
            "ssbs",
            format!("that its VMs have SSBS is {ssbs}, but lab/data/hosts.toml says {wanted}"),
        ),
        Case::good_or(
            online == host.cpus.to_string(),
            "cpus",
            format!("{online} of {} CPUs are online", host.cpus),
        ),
    ])
}

/// Without KVM the component says nothing.
fn no_kvm(said: &str) -> Result<()> {
    let is_alone = said.lines().count() == 1 && said.contains(NO_KVM);
    ensure!(is_alone, "the kernel says more than \"{NO_KVM}\":\n{said}");
    Ok(())
}

fn offers(host: &Host, transcript: &Transcript) -> Result<()> {
    let section = transcript.section(DUMP)?;
    ensure!(
        section.status == 0,
        "saving a VM failed with status {}:\n{}",
        section.status,
        section.output
    );
    let dump = Dump::parse(&host.name, &section.output)?;
    let value = |id| {
        dump.value(id)
            .with_context(|| format!("{id:#x} is missing"))
    };
    let offer = Offer([
        value(WORKAROUND_1)?,
        value(WORKAROUND_2)?,
        value(WORKAROUND_3)?,
    ]);
    ensure!(
        host.offers.contains(&offer),
        "it offers {offer}, but lab/data/hosts.toml says {}",
        Vec::from_iter(host.offers.iter().map(Offer::to_string)).join(" or ")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::boots::testing::{boots, failures, transcript};

    fn failed(host: &Host, dump: &str, features: &str, online: &str) -> Vec<String> {
        let sections = [(DUMP, dump), (FEATURES, features), (ONLINE, online)];
        failures(&cases(host, &transcript(&sections)).unwrap())
    }

    #[test]
    fn a_host_must_be_what_is_said_of_it() {
        let hosts = hosts::load(&Project::here()).unwrap();
        let host = hosts::find(&hosts, "n1").unwrap();
        let dump = "0x6030000000140001 0x2\n0x6030000000140002 0x0\n0x6030000000140003 0x1\n";
        let feature = format!("CPU features: {SSBS}");

        assert!(failed(host, dump, &feature, "1").is_empty());
        assert_eq!(
            failed(host, &dump.replace("1 0x2", "1 0x1"), "", "2"),
            [
                "offers: it offers 1/0/1, but lab/data/hosts.toml says 2/0/1",
                "ssbs: that its VMs have SSBS is false, but lab/data/hosts.toml says true",
                "cpus: 2 of 1 CPUs are online",
            ]
        );
        let short = failed(host, "0x6030000000140001 0x2\n", "", "");
        assert_eq!(short[0], "offers: 0x6030000000140002 is missing");
    }

    #[test]
    fn a_failed_host_does_not_take_the_others_with_it() {
        let hosts = hosts::load(&Project::here()).unwrap();
        let hosts = ["a53", "n1", "a57"].map(|name| hosts::find(&hosts, name).unwrap().clone());
        let dump = "0x6030000000140001 0x2\n0x6030000000140002 0x0\n0x6030000000140003 0x1\n";
        let n1 = transcript(&[(DUMP, dump), (FEATURES, SSBS), (ONLINE, "1")]);
        let boots = boots([("a53", Err(anyhow::anyhow!("it hangs"))), ("n1", Ok(n1))]);
        let groups = groups(&hosts, &boots);
        assert_eq!(failures(&groups[0].1), ["boot: it hangs"]);
        assert!(failures(&groups[1].1).is_empty() && groups[1].1.len() == 3);
        assert_eq!(failures(&groups[2].1), ["boot: host a57 was not booted"]);
    }
}
