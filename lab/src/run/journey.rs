// SPDX-License-Identifier: GPL-2.0

//! The journeys of the VMs: saved on every host, restored on every host, saved there, and back.

use std::time::Duration;

use anyhow::{bail, ensure, Context, Result};

use super::matrix::{Answers, Home, Matrix};
use super::offers;
use super::visit::{self, Visit};
use crate::boot::{Boot, Booter};
use crate::console::Transcript;
use crate::dump::{self, Dump};
use crate::fleet::HostOffers;
use crate::hosts::Host;
use crate::job::Job;
use crate::mistakes::{self, Mistake};
use crate::project::{Handlers, Project};
use crate::vmm::{self, Answer, Batch, Stream};

/// Far more than a boot takes, even on a busy machine.
const BOOT_LIMIT: Duration = Duration::from_secs(120);

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
    let mut answers = lab.go(&dumps, &saved)?;
    lab.come_back(&mut answers)?;
    let [rust, c] = answers;
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

/// One boot.
struct Trip<'a> {
    /// Names its log.
    what: String,
    host: &'a Host,
    handlers: Handlers,
    job: Job,
}

/// What there is for each of `Handlers::ALL`: the hosts with their own kernels, or all with the C
/// handlers.
type Both<T> = [T; 2];

impl Lab<'_> {
    /// Saves fresh VMs on every host.
    fn save(&self) -> Result<Vec<Saved>> {
        let mut job = self.job.clone();
        visit::save(&mut job);
        for mistake in self.mistakes {
            let line = format!("/{} dump {}", vmm::PROGRAM, mistake.save);
            job.command(format!("dump-{}", mistake.name), 10, line);
        }
        offers::ask(&mut job);

        let trip = |host| Trip {
            what: "save".to_owned(),
            host,
            handlers: host.kernel,
            job: job.clone(),
        };
        let trips: Vec<Trip> = self.hosts.iter().map(trip).collect();
        let transcripts = self.boot("saving VMs on every host", &trips)?;
        let saved = self.hosts.iter().zip(&transcripts);
        saved
            .map(|(host, transcript)| {
                let fresh = visit::home(host, transcript)?;
                let mistaken = self.mistakes.iter().map(|mistake| {
                    let output =
                        visit::output(host, transcript, &format!("dump-{}", mistake.name))?;
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

    /// Restores all dumps on every host, saves there what was accepted, and makes the mistakes.
    fn go(&self, dumps: &[Dump], saved: &[Saved]) -> Result<Both<Answers>> {
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

        let visits = self.restore("restoring VMs on every host", "restore", [&batches; 2])?;
        Ok(visits.map(|visits| {
            let mut answers = Answers::default();
            for mut host in visits {
                answers.home.push(host.home);
                answers.mistakes.push(host.by_batch.split_off(1).concat());
                answers.there.extend(host.by_batch);
            }
            answers
        }))
    }

    /// Restores on its first host what each host that accepted a VM saved then.
    fn come_back(&self, answers: &mut Both<Answers>) -> Result<()> {
        let [rust, c] = &*answers;
        let streams = [self.returns(&rust.there)?, self.returns(&c.there)?];
        let batches = streams.each_ref().map(|by_home| {
            let batches = by_home.iter().map(|streams| {
                let batch = Batch {
                    name: "back".to_owned(),
                    options: format!("-d {}", vmm::ASK),
                    streams: streams.iter().flatten().cloned().collect(),
                };
                Vec::from_iter((!batch.streams.is_empty()).then_some(batch))
            });
            batches.collect::<Vec<_>>()
        });

        let message = "bringing VMs back to every host";
        let visits = self.restore(message, "back", batches.each_ref().map(Vec::as_slice))?;
        for ((answers, streams), visits) in answers.iter_mut().zip(&streams).zip(visits) {
            let back = streams.iter().zip(visits).map(|(streams, host)| {
                let mut answers = host.by_batch.into_iter().flatten();
                let of = |stream: &Option<Stream>| stream.as_ref().and_then(|_| answers.next());
                streams.iter().map(of).collect()
            });
            answers.back = back.collect();
        }
        Ok(())
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

    /// Has each host save a VM of its own and restore its batches, with both kernels.
    fn restore(
        &self,
        message: &str,
        what: &str,
        batches: Both<&[Vec<Batch>]>,
    ) -> Result<Both<Vec<Visit>>> {
        // A host that has no other kernel than that with the C handlers may have been asked already.
        let asked = |host: usize| {
            self.hosts[host].kernel == Handlers::C && batches[0][host] == batches[1][host]
        };
        let (mut trips, mut asked_of) = (Vec::new(), Vec::new());
        for (handlers, batches) in Handlers::ALL.into_iter().zip(batches) {
            for (index, host) in self.hosts.iter().enumerate() {
                if handlers == Handlers::C && asked(index) {
                    continue;
                }
                let runs = host.runs(handlers);
                let mut job = self.job.clone();
                visit::restore(&mut job, &batches[index], runs == Handlers::Rust);
                asked_of.push(&batches[index]);
                trips.push(Trip {
                    what: match runs == handlers {
                        true => what.to_owned(),
                        false => format!("{what}-own"),
                    },
                    host,
                    handlers: runs,
                    job,
                });
            }
        }

        let transcripts = self.boot(message, &trips)?;
        let visits = trips.iter().zip(&asked_of).zip(&transcripts);
        let visits = visits.map(|((trip, batches), transcript)| {
            let (host, handlers) = (trip.host, trip.handlers);
            let visit = visit::read(host, batches, transcript, handlers == Handlers::Rust);
            let label = handlers.label();
            visit.with_context(|| format!("host {} with handlers in {label}", host.name))
        });
        let mut visits = visits.collect::<Result<Vec<_>>>()?.into_iter();
        let own: Vec<Visit> = visits.by_ref().take(self.hosts.len()).collect();
        let all_c = own
            .iter()
            .enumerate()
            .filter_map(|(index, visit)| match asked(index) {
                true => Some(visit.clone()),
                false => visits.next(),
            });
        let all_c = all_c.collect();
        Ok([own, all_c])
    }

    /// Boots them all. All transcripts, or the errors of those that failed.
    fn boot(&self, message: &str, trips: &[Trip]) -> Result<Vec<Transcript>> {
        fn boot<'a>(trip: &'a Trip) -> Boot<'a> {
            Boot {
                what: &trip.what,
                host: trip.host,
                handlers: trip.handlers,
                kunit: false,
                job: &trip.job,
                limit: BOOT_LIMIT,
            }
        }
        let boots: Vec<Boot> = trips.iter().map(boot).collect();

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
