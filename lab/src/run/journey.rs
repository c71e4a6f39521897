// SPDX-License-Identifier: GPL-2.0

//! The journeys of the VMs: saved on every host, restored on every host, saved there, and back.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::matrix::{Answers, Home, Matrix};
use super::offers;
use crate::boot::{Boot, Booter};
use crate::console::{Section, Transcript};
use crate::discovery::Told;
use crate::dump::{self, Dump};
use crate::fleet::HostOffers;
use crate::hosts::Host;
use crate::job::Job;
use crate::mistakes::{self, Mistake};
use crate::project::{Handlers, Project};
use crate::trace;
use crate::vmm::{self, Answer, Batch, Stream};

/// Far more than a boot takes, even on a busy machine.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

/// The command that saves a fresh VM.
const HOME: &str = "home";

/// Boots all hosts, time and again, and fills the matrix.
pub fn measure(project: &Project, hosts: Vec<Host>) -> Result<Matrix> {
    let mistakes = mistakes::load(project)?;
    let lab = Lab {
        booter: Booter::new(project)?,
        hosts: &hosts,
        mistakes: &mistakes,
        job: vmm::job(vmm::build(project)?),
    };

    let saved = lab.save()?;
    let mut dumps: Vec<Dump> = saved.iter().map(|saved| saved.fresh.dump.clone()).collect();
    dumps.extend(dump::field(project)?);
    let rust = lab.travel(Handlers::Rust, &dumps, &saved)?;
    let c = lab.travel(Handlers::C, &dumps, &saved)?;
    Ok(Matrix {
        offers: saved.into_iter().map(|saved| saved.offers).collect(),
        hosts,
        dumps,
        mistakes,
        rust,
        c,
    })
}

struct Lab<'a> {
    booter: Booter<'a>,
    hosts: &'a [Host],
    mistakes: &'a [Mistake],
    /// What each boot's job begins with.
    job: Job,
}

/// What was saved on a host.
struct Saved {
    fresh: Home,
    offers: HostOffers,
    /// What a VMM makes of it, by mistake.
    mistaken: Vec<Stream>,
}

/// What a host did and said in one boot.
struct Visit {
    home: Home,
    /// By batch and stream.
    by_batch: Vec<Vec<Answer>>,
}

impl Lab<'_> {
    /// Saves fresh VMs on every host.
    fn save(&self) -> Result<Vec<Saved>> {
        let mut job = self.job.clone();
        let mut command = |name: &str, options: &str| {
            job.command(name, 10, format!("/{} dump {options}", vmm::PROGRAM));
        };
        command(HOME, vmm::ASK);
        for mistake in self.mistakes {
            command(&format!("dump-{}", mistake.name), &mistake.save);
        }

        offers::ask(&mut job);

        let jobs = vec![job; self.hosts.len()];
        let transcripts = self.boot("saving VMs on every host", "save", Handlers::Rust, &jobs)?;
        let saved = self.hosts.iter().zip(&transcripts);
        saved
            .map(|(host, transcript)| {
                let fresh = home(host, transcript)?;
                let mistaken = self.mistakes.iter().map(|mistake| {
                    let output = output(host, transcript, &format!("dump-{}", mistake.name))?;
                    Ok(mistake.stream(&Dump::parse(&host.name, output)?))
                });
                Ok(Saved {
                    offers: offers::of(host, &fresh.dump, transcript)?,
                    fresh,
                    mistaken: mistaken.collect::<Result<_>>()?,
                })
            })
            .collect()
    }

    /// The answers of all hosts: with their own kernels, or all with the C handlers.
    fn travel(&self, handlers: Handlers, dumps: &[Dump], saved: &[Saved]) -> Result<Answers> {
        let mut answers = self.go(handlers, dumps, saved)?;
        answers.back = self.come_back(handlers, &answers.there)?;
        Ok(answers)
    }

    /// Restores all dumps on every host, saves there what was accepted, and makes the mistakes.
    fn go(&self, handlers: Handlers, dumps: &[Dump], saved: &[Saved]) -> Result<Answers> {
        let moves = Batch {
            name: "moves".to_owned(),
            options: format!("-d {}", vmm::ASK),
            streams: dumps.iter().map(Dump::stream).collect(),
        };
        let batches = |saved: &Saved| {
            let mistakes = self.mistakes.iter().zip(&saved.mistaken);
            let mistakes = mistakes.map(|(mistake, stream)| Batch {
                name: mistake.name.clone(),
                options: mistake.restore.clone(),
                streams: vec![stream.clone()],
            });
            [moves.clone()].into_iter().chain(mistakes).collect()
        };
        let batches: Vec<Vec<Batch>> = saved.iter().map(batches).collect();

        let message = "restoring VMs on every host";
        let mut answers = Answers::default();
        for mut host in self.restore(message, "restore", handlers, &batches)? {
            answers.home.push(host.home);
            answers.mistakes.push(host.by_batch.split_off(1).concat());
            answers.there.extend(host.by_batch);
        }
        Ok(answers)
    }

    /// Restores on its first host what each host that accepted a VM saved then.
    fn come_back(
        &self,
        handlers: Handlers,
        there: &[Vec<Answer>],
    ) -> Result<Vec<Vec<Option<Answer>>>> {
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
            away.map(|(host, answers)| stream(host, &answers[home]))
                .collect()
        });
        let streams: Vec<Vec<Option<Stream>>> = streams.collect::<Result<_>>()?;

        let batches = streams.iter().map(|streams| {
            let batch = Batch {
                name: "back".to_owned(),
                options: format!("-d {}", vmm::ASK),
                streams: streams.iter().flatten().cloned().collect(),
            };
            Vec::from_iter((!batch.streams.is_empty()).then_some(batch))
        });
        let batches: Vec<Vec<Batch>> = batches.collect();

        let answers = self.restore(
            "bringing VMs back to every host",
            "back",
            handlers,
            &batches,
        )?;
        let back = streams.iter().zip(answers).map(|(streams, host)| {
            let mut answers = host.by_batch.into_iter().flatten();
            let of = |stream: &Option<Stream>| stream.as_ref().and_then(|_| answers.next());
            streams.iter().map(of).collect()
        });
        Ok(back.collect())
    }

    /// Has each host save a VM of its own and restore its batches.
    fn restore(
        &self,
        verb: &str,
        what: &str,
        handlers: Handlers,
        batches: &[Vec<Batch>],
    ) -> Result<Vec<Visit>> {
        let traced = |host: &Host| host.runs(handlers) == Handlers::Rust;
        let jobs = self.hosts.iter().zip(batches).map(|(host, batches)| {
            let traced = traced(host);
            let mut job = self.job.clone();
            job.command(HOME, 10, format!("/{} dump {}", vmm::PROGRAM, vmm::ASK));
            if traced {
                trace::switch_on(&mut job);
            }
            for batch in batches {
                batch.add_to(&mut job);
            }
            if traced {
                trace::read(&mut job);
            }
            job
        });
        let jobs: Vec<Job> = jobs.collect();
        let message = format!("{verb}, handlers in {}", handlers.label());
        let transcripts = self.boot(&message, what, handlers, &jobs)?;

        let all = self.hosts.iter().zip(batches).zip(&transcripts);
        all.map(|((host, batches), transcript)| {
            visit(host, batches, transcript, traced(host)).with_context(|| {
                let handlers = host.runs(handlers).label();
                format!("host {} with handlers in {handlers}", host.name)
            })
        })
        .collect()
    }

    /// Boots every host for its job. All transcripts, or the errors of those that failed.
    fn boot(
        &self,
        message: &str,
        what: &str,
        handlers: Handlers,
        jobs: &[Job],
    ) -> Result<Vec<Transcript>> {
        let boots: Vec<Boot> = self
            .hosts
            .iter()
            .zip(jobs)
            .map(|(host, job)| Boot {
                what,
                host,
                handlers: host.runs(handlers),
                kunit: false,
                job,
                limit: BOOT_LIMIT,
            })
            .collect();

        let (mut transcripts, mut errors) = (Vec::new(), Vec::new());
        for result in self.booter.all(message, &boots) {
            match result {
                Ok(transcript) => transcripts.push(transcript),
                Err(error) => errors.push(format!("{error:#}")),
            }
        }
        if !errors.is_empty() {
            bail!("{message}: {} failed\n{}", errors.len(), errors.join("\n"));
        }
        Ok(transcripts)
    }
}

/// Reads what `fw_regs_vmm dump` said of a VM whose guest asked its firmware before.
fn home(host: &Host, transcript: &Transcript) -> Result<Home> {
    let (told, registers): (Vec<&str>, Vec<&str>) = output(host, transcript, HOME)?
        .lines()
        .partition(|line| Told::is_line(line));
    Ok(Home {
        dump: Dump::parse(&host.name, &registers.join("\n"))?,
        told: Told::parse(told.into_iter()).with_context(|| format!("host {}", host.name))?,
    })
}

fn output<'a>(host: &Host, transcript: &'a Transcript, command: &str) -> Result<&'a str> {
    let Section { status, output, .. } = transcript.section(command)?;
    ensure!(
        *status == 0,
        "host {}: saving a VM failed with status {status}:\n{output}",
        host.name
    );
    Ok(output)
}

/// What a host said, with the reasons where they were traced.
fn visit(host: &Host, batches: &[Batch], transcript: &Transcript, traced: bool) -> Result<Visit> {
    let answers = batches.iter().map(|batch| batch.answers(transcript));
    let mut by_batch: Vec<Vec<Answer>> = answers.collect::<Result<_>>()?;
    if traced {
        let streams = batches.iter().flat_map(|batch| &batch.streams);
        trace::explain(transcript, streams.zip(by_batch.iter_mut().flatten()))?;
    }
    Ok(Visit {
        home: home(host, transcript)?,
        by_batch,
    })
}
