// SPDX-License-Identifier: GPL-2.0

//! The journeys of the VMs: saved on every host, restored on every host, saved there, and back.

use std::time::Duration;

use anyhow::{ensure, Context, Result};

use super::matrix::{Answers, Home, Matrix};
use super::{offers, visit};
use crate::boot::{Boot, Booter, Crew};
use crate::console::Transcript;
use crate::dump::{self, Dump};
use crate::fleet::HostOffers;
use crate::hosts::Host;
use crate::job::Job;
use crate::mistakes::{self, Mistake};
use crate::project::{Handlers, Project};
use crate::vmm::{self, Answer, Batch, Stream};

/// Far more than a boot takes, even on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Boots all hosts with each kernel, and fills the matrix.
pub fn measure(project: &Project, hosts: Vec<Host>) -> Result<Matrix> {
    let mistakes = mistakes::load(project)?;
    let lab = Lab {
        booter: Booter::new(project)?,
        hosts: &hosts,
        mistakes: &mistakes,
        job: vmm::job(vmm::build(project)?),
    };

    let field = dump::field(project)?;
    let (saved, rust) = lab.with_own_kernels(field)?;
    let c = lab.with_c(&saved)?;
    Ok(Matrix {
        offers: saved.offers,
        dumps: saved.dumps,
        hosts,
        mistakes,
        rust,
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
    /// Saves VMs on every host, with its own kernel, and sends them round.
    fn with_own_kernels(&self, field: Vec<Dump>) -> Result<(Saved, Answers)> {
        let mut job = self.job.clone();
        visit::save(&mut job);
        for mistake in self.mistakes {
            let line = format!("/{} dump {}", vmm::PROGRAM, mistake.save);
            job.command(format!("dump-{}", mistake.name), 10, line);
        }
        offers::ask(&mut job);

        self.boot("own", Handlers::Rust, &job, |up, transcripts| {
            let home = self.home(transcripts)?;
            let saved = self.saved(&home, transcripts, field)?;
            let answers = self.travel(up, home, &saved)?;
            Ok((saved, answers))
        })
    }

    /// Sends the same VMs round between hosts that all have the C handlers.
    fn with_c(&self, saved: &Saved) -> Result<Answers> {
        let mut job = self.job.clone();
        visit::save(&mut job);
        self.boot("all-c", Handlers::C, &job, |up, transcripts| {
            self.travel(up, self.home(transcripts)?, saved)
        })
    }

    fn boot<T>(
        &self,
        what: &str,
        handlers: Handlers,
        job: &Job,
        lead: impl FnOnce(&Up, &[Transcript]) -> Result<T>,
    ) -> Result<T> {
        let boot = |host| Boot {
            what,
            host,
            handlers: host.runs(handlers),
            kunit: false,
            counts: false,
            job,
            limit: LIMIT,
        };
        let boots: Vec<Boot> = self.hosts.iter().map(boot).collect();
        let handlers = boots.iter().map(|boot| boot.handlers).collect();
        let message = "saving VMs on every host";
        self.booter.crew(message, &boots, |crew, transcripts| {
            lead(&Up { crew, handlers }, &transcripts)
        })
    }

    /// The fresh VMs of the hosts.
    fn home(&self, transcripts: &[Transcript]) -> Result<Vec<Home>> {
        let hosts = self.hosts.iter().zip(transcripts);
        hosts.map(|(host, said)| visit::home(host, said)).collect()
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
    /// each VM's first host restore what was saved there.
    fn travel(&self, up: &Up, home: Vec<Home>, saved: &Saved) -> Result<Answers> {
        let moves = Batch {
            name: "moves".to_owned(),
            options: format!("-d {}", vmm::ASK),
            streams: saved.dumps.iter().map(Dump::stream).collect(),
        };
        let batches = saved.mistaken.iter().map(|mistaken| {
            let mistakes = self.mistakes.iter().zip(mistaken);
            let mistakes = mistakes.map(|(mistake, stream)| Batch {
                name: mistake.name.clone(),
                options: mistake.restore.clone(),
                streams: vec![stream.clone()],
            });
            [moves.clone()].into_iter().chain(mistakes).collect()
        });
        let visits = self.restore(up, "restoring VMs on every host", batches.collect())?;
        let (mut there, mut mistakes) = (Vec::new(), Vec::new());
        for mut by_batch in visits {
            mistakes.push(by_batch.split_off(1).concat());
            there.extend(by_batch);
        }

        let streams = self.returns(&there)?;
        let batches = streams.iter().map(|streams| {
            let batch = Batch {
                name: "back".to_owned(),
                options: format!("-d {}", vmm::ASK),
                streams: streams.iter().flatten().cloned().collect(),
            };
            Vec::from_iter((!batch.streams.is_empty()).then_some(batch))
        });
        let visits = self.restore(up, "bringing VMs back to every host", batches.collect())?;
        let back = streams.iter().zip(visits).map(|(streams, by_batch)| {
            let mut answers = by_batch.into_iter().flatten();
            let of = |stream: &Option<Stream>| stream.as_ref().and_then(|_| answers.next());
            streams.iter().map(of).collect()
        });
        Ok(Answers {
            home,
            back: back.collect(),
            there,
            mistakes,
        })
    }

    /// Has each host restore its batches.
    fn restore(
        &self,
        up: &Up,
        message: &str,
        batches: Vec<Vec<Batch>>,
    ) -> Result<Vec<Vec<Vec<Answer>>>> {
        let traced = |handlers: &Handlers| *handlers == Handlers::Rust;
        let jobs = batches.iter().zip(&up.handlers);
        let jobs = jobs.map(|(batches, handlers)| visit::restore(batches, traced(handlers)));
        let transcripts = up.crew.all(message, jobs.collect())?;

        let visits = self.hosts.iter().zip(&up.handlers);
        let visits = visits.zip(&batches).zip(&transcripts);
        let visits = visits.map(|(((host, handlers), batches), said)| {
            let context = || format!("host {} with handlers in {}", host.name, handlers.label());
            visit::read(batches, said, traced(handlers)).with_context(context)
        });
        visits.collect()
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
