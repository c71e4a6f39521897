// SPDX-License-Identifier: GPL-2.0

//! The CPU templates that the planner makes for Firecracker: of the floor of all hosts, and of those
//! with a workaround. Each host accepts what Firecracker would write, and shows it then.

mod firecracker;

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use fw_regs_policy::{Register, Retention};
use planner::{HostOffers, Hosts, Kind, Reader};

use crate::ask::offers;
use crate::ask::visit::{self, Visit};
use crate::ask::vmm::{self, Batch};
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::boot::job::Job;
use crate::boot::{Boot, Booter, Crew};
use crate::build::Built;
use crate::model::answer::Answer;
use crate::model::dump::Dump;
use crate::model::hosts::{self, Host};
use crate::model::matrix::Vm;
use crate::model::registers::{long, name, WORKAROUND_1};
use crate::model::results::{Case, Groups};
use firecracker::Template;

/// Far more than a boot takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// What the floor is of.
const FLEETS: [(&str, IsMeant); 2] = [("all", |_| true), ("mitigated", is_mitigated)];

type IsMeant = fn(&HostOffers) -> bool;

const USUAL: Kind = Kind {
    psci_0_2: true,
    ssbs_visible: true,
};

/// A host, and what it offers.
struct AskedHost<'a> {
    host: &'a Host,
    fresh: Dump,
    offers: HostOffers,
}

pub fn run(project: &Project, built: &Built) -> Result<Groups> {
    let hosts = hosts::in_fleet(project)?;
    if hosts.is_empty() {
        let none = Case::skip("all", "none of the hosts is in the fleet");
        return Ok(vec![(String::new(), vec![none])]);
    }
    let jobs: Vec<Job> = hosts.iter().map(|host| first_job(host, built)).collect();
    let boot = |(host, job): (_, _)| boot(host, job);
    let boots: Vec<Boot> = hosts.iter().zip(&jobs).map(boot).collect();
    let booter = Booter::new(project)?;
    booter.crew("asking hosts what they offer", &boots, |crew, said| {
        let asked = hosts.iter().zip(&said);
        let asked = asked.map(|(host, said)| asked_host(host, said));
        let asked: Vec<AskedHost> = asked.collect::<Result<_>>()?;
        let mut groups = Groups::new();
        for (fleet, is_meant) in FLEETS {
            if !asked.iter().any(|asked| is_meant(&asked.offers)) {
                let none = Case::skip(fleet, "none of the hosts is one of these");
                groups.push((String::new(), vec![none]));
                continue;
            }
            let template = template(&asked, is_meant).with_context(|| fleet.to_owned())?;
            groups.extend(apply(crew, fleet, &asked, is_meant, &template)?);
        }
        Ok(groups)
    })
}

fn first_job(host: &Host, built: &Built) -> Job {
    let mut job = vmm::job(&built.vmm);
    offers::ask(&mut job);
    visit::save(&mut job, Vm::Default, host.kernel.handlers());
    job
}

fn boot<'a>(host: &'a Host, job: &'a Job) -> Boot<'a> {
    Boot {
        what: "templates",
        host,
        kernel: host.kernel,
        kunit: false,
        counts: false,
        job,
        limit: LIMIT,
    }
}

fn asked_host<'a>(host: &'a Host, said: &Transcript) -> Result<AskedHost<'a>> {
    let fresh = visit::home(host, said, Vm::Default)?.dump;
    Ok(AskedHost {
        offers: offers::of(host, &fresh, said)?,
        host,
        fresh,
    })
}

fn is_mitigated(offers: &HostOffers) -> bool {
    offers
        .offers
        .values()
        .any(|(id, value)| id == WORKAROUND_1 && value != 0)
}

/// The template that `fw-regs-plan floor --format firecracker` prints for those hosts.
fn template(asked: &[AskedHost], is_meant: IsMeant) -> Result<Template> {
    let offers = asked.iter().map(|one| &one.offers);
    let offers = offers.filter(|offers| is_meant(offers)).cloned().collect();
    let hosts = Hosts::new(offers, &[USUAL].into());
    let floor = planner::floor(&hosts, USUAL, true);
    let floor = floor.map_err(|none| anyhow::anyhow!("no floor: {}", none.register.name()))?;
    let told = planner::tell(Reader::Firecracker, &hosts, USUAL, &floor);
    ensure!(!told.pinned.is_empty(), "the template is empty");
    Template::parse(&planner::template(&told.pinned))
}

/// Has the hosts apply it to VMs of both kinds, where they have both.
fn apply(
    crew: &Crew,
    fleet: &str,
    asked: &[AskedHost],
    is_meant: IsMeant,
    template: &Template,
) -> Result<Groups> {
    let written = asked.iter().map(|one| {
        let is_meant = is_meant(&one.offers);
        is_meant.then(|| template.applied(&one.fresh)).transpose()
    });
    let written: Vec<Option<Dump>> = written.collect::<Result<_>>()?;
    let batches = asked.iter().zip(&written).map(|(one, written)| {
        let batch = Batch {
            name: fleet.to_owned(),
            options: format!("-d {}", vmm::ASK),
            streams: written.iter().map(Dump::stream).collect(),
        };
        let handlers = one.offers.kernel;
        let kinds = Vm::ALL.into_iter().filter(|vm| vm.on(handlers) == *vm);
        let of_kind = |vm| visit::of_kind(batch.clone(), vm, handlers);
        kinds.map(of_kind).collect()
    });
    let batches: Vec<Vec<Batch>> = batches.collect();
    let jobs = batches.iter().zip(asked);
    let jobs = jobs.map(|(batches, one)| visit::restore(batches, one.offers.kernel));
    let said = crew.all("applying a template", jobs.collect())?;

    let mut groups = Vec::from(Vm::ALL.map(|vm| (format!("{fleet}/{}", vm.name()), Vec::new())));
    let hosts = asked.iter().zip(&written).zip(batches.iter().zip(&said));
    for ((one, written), (batches, said)) in hosts {
        let mut visit = Visit::read(batches, said, one.offers.kernel)?;
        for (vm, (_, cases)) in Vm::ALL.into_iter().zip(&mut groups) {
            for (answer, written) in visit.take(fleet, vm).iter().zip(written) {
                let result = judge(vm, written, &one.fresh, answer);
                cases.push(Case::from_result(&one.host.name, result));
            }
        }
    }
    Ok(groups)
}

/// The VM has what was written, but for what a default VM forgets, and its guest is told so.
fn judge(vm: Vm, written: &Dump, fresh: &Dump, answer: &Answer) -> Result<()> {
    let refusals: Vec<String> = answer.refusals.iter().map(|it| it.write()).collect();
    ensure!(refusals.is_empty(), "refused: {}", refusals.join(", "));
    let saved = Dump {
        source: fresh.source.clone(),
        registers: answer.saved.clone(),
    };
    for (id, value) in &written.registers {
        let register = Register::try_from(*id).ok();
        let register = register.with_context(|| format!("no register {}", name(*id)))?;
        let is_forgotten = register.retention(vm == Vm::Strict) == Retention::Forgotten;
        let expected = if is_forgotten {
            fresh.value(*id)
        } else {
            Some(*value)
        };
        let shown = saved.value(*id);
        let text = |value: Option<u64>| value.map_or("nothing".to_owned(), |it| long(*id, it));
        ensure!(
            shown == expected,
            "{} was to be {}, and is {}",
            name(*id),
            text(expected),
            text(shown)
        );
    }
    answer.ensure_told()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::example;
    use crate::model::matrix::Refusal;

    fn dump(value: u64) -> Dump {
        let text = format!("0x6030000000140001 {value:#x}\n0x6030000000160000 {value:#x}\n");
        Dump::parse("a53", &text).unwrap()
    }

    fn answer(registers: &[(u64, u64)]) -> Answer {
        Answer {
            saved: registers.to_vec(),
            ..Answer::default()
        }
    }

    #[test]
    fn a_vm_must_have_what_was_written() {
        let (written, fresh) = (dump(1), dump(2));
        let (wa1, std) = (0x6030_0000_0014_0001, 0x6030_0000_0016_0000);
        let strict = [(wa1, 1), (std, 1)];
        let default = [(wa1, 2), (std, 1)];
        let judged = |vm, saved: &[(u64, u64)]| judge(vm, &written, &fresh, &answer(saved));
        judged(Vm::Strict, &strict).unwrap();
        judged(Vm::Default, &default).unwrap();
        for (vm, saved) in [
            (Vm::Strict, &default[..]),
            (Vm::Default, &strict),
            (Vm::Strict, &strict[..1]),
            (Vm::Default, &[(wa1, 2), (std, 2)]),
            (Vm::Strict, &[]),
        ] {
            assert!(judged(vm, saved).is_err(), "{saved:x?}");
        }
        let refused = Answer {
            refusals: vec![Refusal {
                id: wa1,
                value: Some(1),
                errno: "EINVAL".to_owned(),
                why: None,
            }],
            ..answer(&strict)
        };
        let error = judge(Vm::Strict, &written, &fresh, &refused).unwrap_err();
        assert_eq!(
            error.to_string(),
            "refused: SMCCC_ARCH_WORKAROUND_1 = 1 (available)"
        );
    }

    #[test]
    fn a_template_is_of_the_hosts_that_are_meant() {
        let heard = example();
        let asked = heard.hosts.iter().zip(&heard.offers).zip(&heard.dumps);
        let asked_host = |((host, offers), fresh): ((_, &HostOffers), &Dump)| AskedHost {
            host,
            fresh: fresh.clone(),
            offers: offers.clone(),
        };
        let asked: Vec<AskedHost> = asked.map(asked_host).collect();
        let value = |is_meant| {
            let template = template(&asked, is_meant)?;
            Ok::<_, anyhow::Error>(template.applied(&asked[0].fresh)?.registers[0].1)
        };
        assert_eq!(value(is_mitigated).unwrap(), 1);
        assert_eq!(value(|offers| offers.name == "good").unwrap(), 2);
        assert!(value(|_| false).is_err());
    }
}
