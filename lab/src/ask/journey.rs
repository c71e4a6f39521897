// SPDX-License-Identifier: GPL-2.0

//! The journeys of the VMs: saved on every host, restored on every host, saved there, and back.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use planner::HostOffers;

use super::offers;
use super::visit::{self, Visit};
use crate::ask::vmm::{self, Batch};
use crate::base::kernel::Handlers;
use crate::base::project::Project;
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
struct Booted<'a> {
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

        self.boot("own", Handlers::Rust, &job, &Vm::ALL, |up, said| {
            let home = self.home(said, Vm::Default)?;
            let saved = self.saved(&home, said, field)?;
            let answers = self.travel(up, Vm::ALL, said, &saved)?;
            Ok((saved, answers))
        })
    }

    /// Sends the same VMs round between hosts that all have the C handlers.
    fn with_c(&self, saved: &Saved) -> Result<Answers> {
        let vms = [Vm::Default];
        self.boot("all-c", Handlers::C, &self.job, &vms, |up, said| {
            let [answers] = self.travel(up, vms, said, saved)?;
            Ok(answers)
        })
    }

    /// Boots all hosts, which do the job and save fresh VMs of these kinds.
    fn boot<T>(
        &self,
        what: &str,
        handlers: Handlers,
        job: &Job,
        vms: &[Vm],
        lead: impl FnOnce(&Booted, &[Transcript]) -> Result<T>,
    ) -> Result<T> {
        let job_of = |host: &Host| {
            let mut job = job.clone();
            for vm in vms {
                visit::save(&mut job, *vm, host.runs(handlers).handlers());
            }
            job
        };
        let jobs: Vec<Job> = self.hosts.iter().map(job_of).collect();
        let boot = |(host, job): (_, _)| Boot {
            what,
            host,
            kernel: host.runs(handlers),
            kunit: false,
            counts: false,
            job,
            limit: LIMIT,
        };
        let boots: Vec<Boot> = self.hosts.iter().zip(&jobs).map(boot).collect();
        let handlers = boots.iter().map(|boot| boot.kernel.handlers()).collect();
        let message = "saving VMs on every host";
        self.booter.crew(message, &boots, |crew, transcripts| {
            lead(&Booted { crew, handlers }, &transcripts)
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
        up: &Booted,
        vms: [Vm; N],
        said: &[Transcript],
        saved: &Saved,
    ) -> Result<[Answers; N]> {
        let moves = Batch {
            name: "moves".to_owned(),
            options: format!("-d {}", vmm::ASK),
            streams: saved.dumps.iter().map(Dump::stream).collect(),
        };
        let message = "restoring VMs on every host";
        let mut visits = self.restore(up, message, vms, |_, host| {
            let mistakes = self.mistakes.iter().zip(&saved.mistaken[host]);
            let mistakes = mistakes.map(|(mistake, stream)| Batch {
                name: mistake.name.clone(),
                options: mistake.restore.clone(),
                streams: vec![stream.clone()],
            });
            [moves.clone()].into_iter().chain(mistakes).collect()
        })?;
        let mut answers = vms.map(|_| Answers::default());
        for (answers, vm) in answers.iter_mut().zip(vms) {
            answers.home = self.home(said, vm)?;
            for visit in &mut visits {
                answers.there.push(visit.take(&moves.name, vm));
                let mistakes = self.mistakes.iter();
                let mistakes = mistakes.flat_map(|mistake| visit.take(&mistake.name, vm));
                answers.mistakes.push(mistakes.collect());
            }
        }

        let mut returns = Vec::new();
        for answers in &answers {
            returns.push(self.returns(&answers.there)?);
        }
        let message = "bringing VMs back to every host";
        let mut visits = self.restore(up, message, vms, |vm, host| {
            vec![Batch {
                name: "back".to_owned(),
                options: moves.options.clone(),
                streams: returns[vm][host].iter().flatten().cloned().collect(),
            }]
        })?;
        for ((answers, returns), vm) in answers.iter_mut().zip(&returns).zip(vms) {
            for (streams, visit) in returns.iter().zip(&mut visits) {
                let mut came = visit.take("back", vm).into_iter();
                let of = |stream: &Option<Stream>| stream.as_ref().and_then(|_| came.next());
                answers.back.push(streams.iter().map(of).collect());
            }
        }
        Ok(answers)
    }

    /// Has each host restore its batches, which are asked for by the indices of the kind of VM and
    /// of the host.
    fn restore<const N: usize>(
        &self,
        up: &Booted,
        message: &str,
        vms: [Vm; N],
        batches: impl Fn(usize, usize) -> Vec<Batch>,
    ) -> Result<Vec<Visit>> {
        let of_host = |(host, handlers): (usize, &Handlers)| -> Vec<Batch> {
            let kinds = vms.into_iter().enumerate();
            let batches = kinds.flat_map(|(index, vm)| {
                let batches = batches(index, host).into_iter();
                batches.map(move |batch| visit::of_kind(batch, vm, *handlers))
            });
            batches.collect()
        };
        let batches: Vec<Vec<Batch>> = up.handlers.iter().enumerate().map(of_host).collect();
        let jobs = batches.iter().zip(&up.handlers);
        let jobs = jobs.map(|(batches, handlers)| visit::restore(batches, *handlers));
        let transcripts = up.crew.all(message, jobs.collect())?;

        let visits = self.hosts.iter().zip(&up.handlers);
        let visits = visits.zip(&batches).zip(&transcripts);
        let visits = visits.map(|(((host, handlers), batches), said)| {
            let context = || format!("host {} with handlers in {}", host.name, handlers.label());
            Visit::read(batches, said, *handlers).with_context(context)
        });
        visits.collect()
    }

    /// What comes back to each host, by the host that it comes from.
    fn returns(&self, there: &[Vec<Answer>]) -> Result<Vec<Vec<Option<Stream>>>> {
        let stream = |(host, answer): (&Host, &Answer)| {
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
            let away = there.iter().map(|answers| &answers[home]);
            self.hosts.iter().zip(away).map(stream).collect()
        });
        streams.collect()
    }
}
