// SPDX-License-Identifier: GPL-2.0

//! Makes the journeys of a running VM: from one host to another and back, with a real QEMU.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use super::guest::{self, Errand, Packed};
use crate::base::kernel::{Handlers, Kernel};
use crate::base::project::Project;
use crate::boot::job::Job;
use crate::boot::{Boot, Booter, Up};
use crate::get::kernels;
use crate::get::qemu::{self, Qemu};
use crate::model::hosts::{self, Host};
use crate::model::journeys::{Act, Hop, Journey, Place};
use crate::model::page::Page;
use crate::model::travels::{End, Stay, Travel};

/// The last resort against a host that hangs; what is done there has limits of its own.
const LIMIT: Duration = Duration::from_secs(300);

/// In MiB: QEMU and its libraries are in memory twice while they are unpacked.
const MEMORY: u32 = 768;

/// Has every VM of a host be strict.
const STRICT: &str = " kvm_arm_fw_regs.strict=1";

/// Makes all journeys. One that fails does not stop the others.
pub fn travel(project: &Project, journeys: Vec<Journey>) -> Result<Vec<Travel>> {
    let hosts = hosts::load(project)?;
    let mut qemus = BTreeMap::new();
    for journey in &journeys {
        for major in Place::ALL.map(|place| journey.qemu_at(place)) {
            if !qemus.contains_key(major) {
                qemus.insert(major.to_owned(), qemu::ensure(project, major)?);
            }
        }
    }
    let booted = journeys.iter().flat_map(|journey| {
        let hosts = Place::ALL.map(|place| hosts::find(&hosts, journey.host_at(place)));
        hosts.into_iter().flatten()
    });
    kernels::ensure(project, booted)?;
    let booter = Booter::new(project)?;
    let roads = journeys.into_iter().map(|journey| {
        let ends = Place::ALL.map(|place| Station::find(&journey, place, &hosts, &qemus));
        let [from, to] = ends;
        let (from, to) = (from?, to?);
        let is_strict = !journey.strict || from.is_strict || to.is_strict;
        ensure!(
            is_strict,
            "journey {}: no VM is strict where the handlers are in C",
            journey.name
        );
        Ok(Road { journey, from, to })
    });
    let roads = roads.collect::<Result<Vec<_>>>()?;
    let message = "moving a running VM";
    let travels = booter.each(message, roads.into_iter(), |road| {
        Ok(match road.missing(project) {
            Some(kernel) => road.left_out(kernel),
            None => road.make(project, &booter),
        })
    });
    travels.into_iter().collect()
}

/// A journey with its two ends.
struct Road<'a> {
    journey: Journey,
    from: Station<'a>,
    to: Station<'a>,
}

/// A host, and what is on it.
struct Station<'a> {
    host: Host,
    kernel: Kernel,
    is_strict: bool,
    qemu: &'a Qemu,
}

impl<'a> Station<'a> {
    fn find(
        journey: &Journey,
        place: Place,
        hosts: &[Host],
        qemus: &'a BTreeMap<String, Qemu>,
    ) -> Result<Self> {
        let host = hosts::find(hosts, journey.host_at(place));
        let mut host = host
            .with_context(|| format!("journey {}", journey.name))?
            .clone();
        host.memory = host.memory.max(MEMORY);
        let kernel = journey.handlers.map_or(host.kernel, Kernel::from);
        let is_strict = journey.strict && kernel.handlers() == Handlers::Rust;
        if is_strict {
            host.cmdline += STRICT;
        }
        Ok(Self {
            host,
            kernel,
            is_strict,
            qemu: &qemus[journey.qemu_at(place)],
        })
    }

    fn start(&self, booter: &Booter, what: &str, job: &Job) -> Result<Up> {
        booter.start(&Boot {
            what,
            host: &self.host,
            kernel: self.kernel,
            kunit: false,
            counts: false,
            job,
            limit: LIMIT,
        })
    }

    fn stay(&self, end: End) -> Stay {
        let strict = if self.is_strict { ", strict" } else { "" };
        Stay {
            host: self.host.name.clone(),
            kernel: format!("{}{strict}", self.kernel),
            qemu: self.qemu.version.clone(),
            end,
        }
    }
}

impl Road<'_> {
    /// A kernel that it needs and that is not there: a mirror of Debian may not have all.
    fn missing(&self, project: &Project) -> Option<Kernel> {
        let kernels = [self.from.kernel, self.to.kernel].into_iter();
        let mut missing = kernels.filter(|kernel| !project.image(*kernel).exists());
        missing.next()
    }

    fn left_out(self, kernel: Kernel) -> Travel {
        Travel {
            journey: self.journey,
            left_out: Some(format!("the kernel {kernel} is not there")),
            stays: Vec::new(),
            seconds: 0,
        }
    }

    fn make(self, project: &Project, booter: &Booter) -> Travel {
        let start = Instant::now();
        let mut stays = Vec::new();
        if let Err(error) = self.go(project, booter, &mut stays) {
            let hops = &self.journey.hops;
            let hop = hops.get(stays.len()).or(hops.last());
            let station = hop.map_or(&self.from, |hop| self.station(hop));
            stays.push(station.stay(End::Failed(format!("{error:#}"))));
        }
        Travel {
            journey: self.journey,
            left_out: None,
            stays,
            seconds: start.elapsed().as_secs(),
        }
    }

    fn station(&self, hop: &Hop) -> &Station<'_> {
        match hop.at {
            Place::From => &self.from,
            Place::To => &self.to,
        }
    }

    /// Tells of each hop that was made.
    ///
    /// # Errors
    ///
    /// A host that did not do what it should, on the hop that has not been told of.
    fn go(&self, project: &Project, booter: &Booter, stays: &mut Vec<Stay>) -> Result<()> {
        let boot = |station: &Station, place: Place| {
            let job = guest::install(project, station.qemu);
            let what = format!("migrate-{}-{}", self.journey.name, place.name());
            Ok::<_, anyhow::Error>((station.start(booter, &what, &job)?, job))
        };
        // Both boot at the same time.
        let (mut from, from_job) = boot(&self.from, Place::From)?;
        let (mut to, to_job) = boot(&self.to, Place::To)?;
        from.booted(&from_job)?;
        to.booted(&to_job)?;

        let mut page = Page::default();
        let mut packed: Option<Packed> = None;
        for (index, hop) in self.journey.hops.iter().enumerate() {
            let station = self.station(hop);
            let up = match hop.at {
                Place::From => &mut from,
                Place::To => &mut to,
            };
            let errand = Errand {
                cpu: self.journey.cpu_at(hop.at),
                from: packed.as_ref().map(|packed| (hop.by, packed)),
                acts: &hop.acts,
                to: self.journey.hops.get(index + 1).map(|next| next.by),
            };
            let mut job = Job::default();
            guest::ask(&mut job, station.kernel.handlers(), &errand);
            let said = up.go_on(&job)?;
            let (end, saved) = guest::read(&said, station.kernel.handlers(), &mut page);
            let is_over = !matches!(end, End::Written(_));
            stays.push(station.stay(end));
            if is_over {
                break;
            }
            packed = saved;
            if let Some(packed) = packed.as_mut().filter(|_| hop.acts.contains(&Act::Cut)) {
                packed.cut();
            }
        }
        from.end()?;
        to.end()
    }
}
