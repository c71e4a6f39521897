// SPDX-License-Identifier: GPL-2.0

//! Hosts that stay up and do one job after the other, so that none is booted twice.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use anyhow::{ensure, Context, Result};

use super::{join, Boot, Booter};
use crate::base::progress::Step;
use crate::boot::console::Transcript;
use crate::boot::job::Job;

pub struct Crew {
    hosts: Vec<Host>,
}

/// What the thread of a host takes and gives.
struct Host {
    jobs: Sender<Job>,
    transcripts: Receiver<Transcript>,
}

impl Booter<'_> {
    /// Boots all hosts. `lead` gets what they said when they had done their first jobs, and may
    /// give them more. Then they power off. Errors of hosts are told before one of `lead`.
    pub fn crew<T>(
        &self,
        message: &str,
        boots: &[Boot],
        lead: impl FnOnce(&Crew, Vec<Transcript>) -> Result<T>,
    ) -> Result<T> {
        thread::scope(|scope| {
            let threads = boots.iter().map(|boot| {
                let ((jobs, taken), (given, transcripts)) = (mpsc::channel(), mpsc::channel());
                // QEMU goes away with the thread that started it.
                let thread = scope.spawn(move || {
                    let served = self.serve(boot, &taken, &given);
                    served.with_context(|| boot.name())
                });
                (Host { jobs, transcripts }, thread)
            });
            let (hosts, threads): (Vec<_>, Vec<_>) = threads.unzip();

            let crew = Crew { hosts };
            let result = crew.transcripts(message).and_then(|said| lead(&crew, said));
            // The threads see that there are no more jobs.
            drop(crew);
            let errors = threads.into_iter().filter_map(|thread| join(thread).err());
            let errors: Vec<String> = errors.map(|error| format!("{error:#}")).collect();
            ensure!(
                errors.is_empty(),
                "{} of {} hosts failed\n{}",
                errors.len(),
                boots.len(),
                errors.join("\n")
            );
            result
        })
    }

    /// Boots a host, has it do jobs until there are no more, and has it power off.
    fn serve(
        &self,
        boot: &Boot,
        jobs: &Receiver<Job>,
        transcripts: &Sender<Transcript>,
    ) -> Result<()> {
        // Nobody listens any more where another host has failed.
        let give = |transcript| drop(transcripts.send(transcript));

        let turn = self.turns.acquire()?;
        let (mut up, transcript) = self.up(boot)?;
        give(transcript);
        drop(turn);
        for job in jobs {
            let _turn = self.turns.acquire()?;
            give(up.go_on(&job)?);
        }
        let _turn = self.turns.acquire()?;
        up.end()
    }
}

impl Crew {
    /// Has each host do the job that is its own. Returns what they said.
    pub fn all(&self, message: &str, jobs: Vec<Job>) -> Result<Vec<Transcript>> {
        for (host, job) in self.hosts.iter().zip(jobs) {
            host.jobs.send(job).context("a host is gone")?;
        }
        self.transcripts(message)
    }

    fn transcripts(&self, message: &str) -> Result<Vec<Transcript>> {
        let step = Step::counter(message, self.hosts.len() as u64);
        let said = self.hosts.iter().map(|host| {
            let transcript = host.transcripts.recv().context("a host is gone")?;
            step.inc(1);
            Ok(transcript)
        });
        said.collect()
    }
}
