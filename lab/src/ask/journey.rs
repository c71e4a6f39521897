// SPDX-License-Identifier: GPL-2.0

//! The journeys of the VMs: saved on every host, restored on every host, saved there, and back.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use planner::HostOffers;

use super::{offers, visit};
use crate::ask::vmm::{self, Batch};
use crate::base::project::{Handlers, Project};
use crate::boot::console::Transcript;
use crate::boot::job::Job;
use crate::boot::{Boot, Booter, Crew};
use crate::build::Built;
use crate::model::answer::Answer;
use crate::model::dump::{self, Dump};
use crate::model::heard::{Answers, Heard, Home};
use crate::model::hosts::Host;
use crate::model::matrix::Vm;
use crate::model::mistakes::{self, Mistake};
use crate::model::stream::Stream;

/// Far more than a boot takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Boots all hosts with each kernel, and fills the matrix.
pub fn measure(project: &Project, built: &Built, hosts: Vec<Host>) -> Result<Heard> {
    let mistakes = mistakes::load(project)?;
    let lab = Lab {
        booter: Booter::new(project)?,
        hosts: &hosts,
        mistakes: &mistakes,
        job: vmm::job(&built.vmm),
    };

    let (saved, [strict, default]) = lab.with_own_kernels(dump::field(project)?)?;
    let c = lab.with_c(&saved)?;
    Ok(Heard {
        offers: saved.offers,
        dumps: saved.dumps,
        hosts,
        mistakes,
        strict,
        default,
        c,
    })
}

struct Lab<'a> {
    booter: Booter<'a>,
    hosts: &'a [Host],
    mistakes: &'a [Mistake],
    /// What each host's first job begins with.
    job: Job,
}

/// What moves.
struct Saved {
    /// By host, and then those from the field.
    dumps: Vec<Dump>,
    /// By host.
    offers: Vec<HostOffers>,
    /// By host: what a VMM makes of it, by mistake.
    mistaken: Vec<Vec<Stream>>,
}

/// Hosts that are up, each with the kernel that it has now.
struct Up<'a> {
    crew: &'a Crew,
    handlers: Vec<Handlers>,
}

impl Lab<'_> {
    /// Saves VMs on every host, with its own kernel, and sends them round: as strict ones, and as
    /// default ones.
    fn with_own_kernels(&self, field: Vec<Dump>) -> Result<(Saved, [Answers; 2])> {
        let mut job = self.job.clone();
        for mistake in self.mistakes {
            let line = format!("/{} dump {}", vmm::PROGRAM, mistake.save);
            job.command(format!("dump-{}", mistake.name), 10, line);
        }
        offers::ask(&mut job);

        self.boot("own", Handlers::Rust, &job, Vm::ALL, |up, said| {
            let home = self.home(said, Vm::Default)?;
            let saved = self.saved(&home, said, field)?;
            let answers = self.travel(up, Vm::ALL, said, &saved)?;
            Ok((saved, answers))
        })
    }

    /// Sends the same VMs round between hosts that all have the C handlers.
    fn with_c(&self, saved: &Saved) -> Result<Answers> {
        let vms = [Vm::Default];
        self.boot("all-c", Handlers::C, &self.job, vms, |up, said| {
            let [answers] = self.travel(up, vms, said, saved)?;
            Ok(answers)
        })
    }

    /// Boots all hosts, which do the job and save fresh VMs of these kinds.
    fn boot<T, const N: usize>(
        &self,
        what: &str,
        handlers: Handlers,
        job: &Job,
        vms: [Vm; N],
        lead: impl FnOnce(&Up, &[Transcript]) -> Result<T>,
    ) -> Result<T> {
        let job_of = |host: &Host| {
            let mut job = job.clone();
            for vm in vms {
                visit::save(&mut job, vm, host.runs(handlers));
            }
            job
        };
        let jobs: Vec<Job> = self.hosts.iter().map(job_of).collect();
        let boot = |(host, job)| Boot {
            what,
            host,
            handlers: Host::runs(host, handlers),
            kunit: false,
            counts: false,
            job,
            limit: LIMIT,
        };
        let boots: Vec<Boot> = self.hosts.iter().zip(&jobs).map(boot).collect();
        let handlers = boots.iter().map(|boot| boot.handlers).collect();
        let message = "saving VMs on every host";
        self.booter.crew(message, &boots, |crew, transcripts| {
            lead(&Up { crew, handlers }, &transcripts)
        })
    }

    /// The fresh VMs of the hosts.
    fn home(&self, said: &[Transcript], vm: Vm) -> Result<Vec<Home>> {
        let hosts = self.hosts.iter().zip(said);
        hosts
            .map(|(host, said)| visit::home(host, said, vm))
            .collect()
    }

    fn saved(&self, home: &[Home], said: &[Transcript], field: Vec<Dump>) -> Result<Saved> {
        let mut saved = Saved {
            dumps: home.iter().map(|home| home.dump.clone()).collect(),
            offers: Vec::new(),
            mistaken: Vec::new(),
        };
        saved.dumps.extend(field);
        for ((host, home), said) in self.hosts.iter().zip(home).zip(said) {
            saved.offers.push(offers::of(host, &home.dump, said)?);
            let mistaken = self.mistakes.iter().map(|mistake| {
                let output = visit::output(host, said, &format!("dump-{}", mistake.name))?;
                Ok(mistake.stream(&Dump::parse(&host.name, output)?))
            });
            saved.mistaken.push(mistaken.collect::<Result<_>>()?);
        }
        Ok(saved)
    }

    /// Has every host restore all dumps, save what it accepted, and make the mistakes; then has
    /// each VM's first host restore what was saved there. All that for each kind of VM.
    fn travel<const N: usize>(
        &self,
        up: &Up,
        vms: [Vm; N],
        said: &[Transcript],
        saved: &Saved,
    ) -> Result<[Answers; N]> {
        let moves = Batch {
            name: "moves".to_owned(),
            options: format!("-d {}", vmm::ASK),
            streams: saved.dumps.iter().map(Dump::stream).collect(),
        };
        let visits = self.restore(up, "restoring VMs on every host", vms, |_, host| {
            let mistakes = self.mistakes.iter().zip(&saved.mistaken[host]);
            let mistakes = mistakes.map(|(mistake, stream)| Batch {
                name: mistake.name.clone(),
                options: mistake.restore.clone(),
                streams: vec![stream.clone()],
            });
            [moves.clone()].into_iter().chain(mistakes).collect()
        })?;
        let mut answers = vms.map(|_| Answers::default());
        for (index, by_host) in visits.into_iter().enumerate() {
            answers[index].home = self.home(said, vms[index])?;
            for mut by_batch in by_host {
                answers[index].mistakes.push(by_batch.split_off(1).concat());
                answers[index].there.extend(by_batch);
            }
        }

        let streams: Vec<_> = answers
            .iter()
            .map(|answers| self.returns(&answers.there))
            .collect::<Result<_>>()?;
        let message = "bringing VMs back to every host";
        let visits = self.restore(up, message, vms, |vm, host| {
            vec![Batch {
                name: "back".to_owned(),
                options: moves.options.clone(),
                streams: streams[vm][host].iter().flatten().cloned().collect(),
            }]
        })?;
        for ((answers, streams), by_host) in answers.iter_mut().zip(&streams).zip(visits) {
            let back = streams.iter().zip(by_host).map(|(streams, by_batch)| {
                let mut came = by_batch.into_iter().flatten();
                let of = |stream: &Option<Stream>| stream.as_ref().and_then(|_| came.next());
                streams.iter().map(of).collect()
            });
            answers.back = back.collect();
        }
        Ok(answers)
    }

    /// Has each host restore its batches, for each kind of VM, by their indices. Returns what was
    /// said by kind, host and batch.
    fn restore<const N: usize>(
        &self,
        up: &Up,
        message: &str,
        vms: [Vm; N],
        batches: impl Fn(usize, usize) -> Vec<Batch>,
    ) -> Result<Vec<Vec<Vec<Vec<Answer>>>>> {
        let of_host = |(host, handlers): (usize, &Handlers)| {
            let of_kind = |index: usize| {
                let batches = batches(index, host).into_iter();
                batches.map(move |batch| visit::of_kind(batch, vms[index], *handlers))
            };
            (0..N).flat_map(of_kind).collect()
        };
        let batches: Vec<Vec<Batch>> = up.handlers.iter().enumerate().map(of_host).collect();
        let traced = |handlers: &Handlers| *handlers == Handlers::Rust;
        let jobs = batches.iter().zip(&up.handlers);
        let jobs = jobs.map(|(batches, handlers)| visit::restore(batches, traced(handlers)));
        let transcripts = up.crew.all(message, jobs.collect())?;

        let mut by_kind = vec![Vec::new(); N];
        let visits = self.hosts.iter().zip(&up.handlers);
        let visits = visits.zip(&batches).zip(&transcripts);
        for (((host, handlers), batches), said) in visits {
            let context = || format!("host {} with handlers in {}", host.name, handlers.label());
            let answers = visit::read(batches, said, traced(handlers)).with_context(context)?;
            // As many batches for each kind.
            let each = answers.chunks(answers.len() / N);
            for (by_host, answers) in by_kind.iter_mut().zip(each) {
                by_host.push(answers.to_vec());
            }
        }
        Ok(by_kind)
    }

    /// What comes back to each host, by the host that it comes from.
    fn returns(&self, there: &[Vec<Answer>]) -> Result<Vec<Vec<Option<Stream>>>> {
        let stream = |host: &Host, answer: &Answer| -> Result<Option<Stream>> {
            if !answer.accepted() {
                return Ok(None);
            }
            ensure!(!answer.saved.is_empty(), "{} saved no registers", host.name);
            let dump = Dump {
                source: host.name.clone(),
                registers: answer.saved.clone(),
            };
            Ok(Some(dump.stream()))
        };
        let streams = (0..self.hosts.len()).map(|home| {
            let away = self.hosts.iter().zip(there);
            let streams = away.map(|(host, answers)| stream(host, &answers[home]));
            streams.collect()
        });
        streams.collect()
    }
}
