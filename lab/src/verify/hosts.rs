// SPDX-License-Identifier: GPL-2.0

//! The hosts: each offers what `lab/data/hosts.toml` says, so that all who read it can rely on it.

use anyhow::{ensure, Context, Result};

use crate::ask::vmm;
use crate::base::project::Project;
use crate::boot::console::{Section, Transcript};
use crate::build::Built;
use crate::model::dump::Dump;
use crate::model::hosts::{self, Host, Offer};
use crate::model::registers::{Id, WORKAROUND_1, WORKAROUND_2, WORKAROUND_3};
use crate::model::results::Case;
use crate::model::results::Groups;
use crate::verify::boots::{Boots, Plan};

const WORKAROUNDS: [Id; 3] = [WORKAROUND_1, WORKAROUND_2, WORKAROUND_3];

/// What the kernel says of CPUs that have it. VMs have it then, unless the VMM hides it.
const SSBS: &str = "detected: Speculative Store Bypassing Safe (SSBS)";

const DUMP: &str = "hosts:dump";
const FEATURES: &str = "hosts:features";
const ONLINE: &str = "hosts:online";

pub fn plan(project: &Project, built: &Built, plan: &mut Plan) -> Result<()> {
    for host in hosts::load(project)? {
        let job = plan.job(&host.name, host.kernel);
        job.program(vmm::PROGRAM, &built.vmm);
        job.command(DUMP, 10, format!("/{} dump", vmm::PROGRAM));
        job.command(FEATURES, 10, "dmesg | grep -F 'CPU features: detected'");
        job.command(ONLINE, 10, "grep -c ^processor /proc/cpuinfo");
    }
    Ok(())
}

pub fn judge(project: &Project, boots: &Boots) -> Result<Groups> {
    let hosts = hosts::load(project)?;
    let groups = hosts.iter().map(|host| {
        let cases = match boots.transcript(&host.name, host.kernel) {
            Ok(transcript) => vec![
                Case::from_result("offers", offers(host, transcript)),
                Case::from_result("ssbs", ssbs(host, transcript)),
                Case::from_result("cpus", cpus(host, transcript)),
            ],
            Err(error) => vec![Case::fail("boot", format!("{error:#}"))],
        };
        (format!("{}/{}", host.name, host.kernel.name()), cases)
    });
    Ok(groups.collect())
}

fn offers(host: &Host, transcript: &Transcript) -> Result<()> {
    let offer = offer(&host.name, transcript.section(DUMP)?)?;
    ensure!(
        host.offers.contains(&offer),
        "it offers {offer}, but lab/data/hosts.toml says {}",
        host.offers
            .iter()
            .map(Offer::to_string)
            .collect::<Vec<_>>()
            .join(" or ")
    );
    Ok(())
}

fn offer(source: &str, section: &Section) -> Result<Offer> {
    ensure!(
        section.status == 0,
        "saving a VM failed with status {}:\n{}",
        section.status,
        section.output
    );
    let dump = Dump::parse(source, &section.output)?;
    let mut offer = [0; 3];
    for (value, id) in offer.iter_mut().zip(WORKAROUNDS) {
        *value = dump
            .value(id)
            .with_context(|| format!("{id:#x} is missing"))?;
    }
    Ok(Offer(offer))
}

fn ssbs(host: &Host, transcript: &Transcript) -> Result<()> {
    let has = transcript.section(FEATURES)?.output.contains(SSBS);
    ensure!(
        has == host.ssbs,
        "that its VMs have SSBS is {has}, but lab/data/hosts.toml says {}",
        host.ssbs
    );
    Ok(())
}

fn cpus(host: &Host, transcript: &Transcript) -> Result<()> {
    let online = transcript.section(ONLINE)?.output.trim();
    ensure!(
        online == host.cpus.to_string(),
        "{online} of {} CPUs are online",
        host.cpus
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn transcript(dump: &str, features: &str, online: &str) -> Transcript {
        let section = |name: &str, output: &str| Section {
            name: name.to_owned(),
            status: 0,
            output: output.to_owned(),
        };
        Transcript {
            kernel: String::new(),
            served: String::new(),
            sections: vec![
                section(DUMP, dump),
                section(FEATURES, features),
                section(ONLINE, online),
            ],
        }
    }

    #[test]
    fn a_host_must_be_what_is_said_of_it() {
        let hosts = hosts::load(&Project::here()).unwrap();
        let host = hosts::find(&hosts, "n1").unwrap();
        let dump = "0x6030000000140001 0x2\n0x6030000000140002 0x0\n0x6030000000140003 0x1\n";
        let feature = format!("CPU features: {SSBS}");

        let good = transcript(dump, &feature, "1");
        assert!(offers(host, &good).is_ok() && ssbs(host, &good).is_ok());
        assert!(cpus(host, &good).is_ok());

        let bad = transcript(&dump.replace("1 0x2", "1 0x1"), "", "2");
        let messages = [offers(host, &bad), ssbs(host, &bad), cpus(host, &bad)]
            .map(|result| result.unwrap_err().to_string());
        assert_eq!(
            messages,
            [
                "it offers 1/0/1, but lab/data/hosts.toml says 2/0/1",
                "that its VMs have SSBS is false, but lab/data/hosts.toml says true",
                "2 of 1 CPUs are online",
            ]
        );

        let short = transcript("0x6030000000140001 0x2\n", "", "");
        let message = offers(host, &short).unwrap_err().to_string();
        assert_eq!(message, "0x6030000000140002 is missing");
    }
}
