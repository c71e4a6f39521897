// SPDX-License-Identifier: GPL-2.0

//! Hosts that stay up and do one job after the other, so that none is booted twice.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use anyhow::{anyhow, bail, Context, Result};

use super::{Boot, Booter};
use crate::base::progress::Step;
use crate::boot::console::Transcript;
use crate::boot::job::Job;

pub struct Crew {
    hosts: Vec<Host>,
}

/// What the thread of a host takes and gives.
struct Host {
    jobs: Sender<Job>,
    transcripts: Receiver<Result<Transcript>>,
}

impl Booter<'_> {
    /// Boots all hosts. `lead` gets what they said when they had done their first jobs, and may
    /// give them more. Then they power off.
    ///
    /// # Errors
    ///
    /// Those of `lead`, and of hosts that did not power off well.
    pub fn crew<T>(
        &self,
        message: &str,
        boots: &[Boot],
        lead: impl FnOnce(&Crew, Vec<Transcript>) -> Result<T>,
    ) -> Result<T> {
        let turns = Turns::new();
        thread::scope(|scope| {
            let threads = boots.iter().map(|boot| {
                let ((jobs, taken), (given, transcripts)) = (mpsc::channel(), mpsc::channel());
                let turns = &turns;
                // QEMU goes away with the thread that started it.
                let thread = scope.spawn(move || self.serve(boot, turns, &taken, &given));
                (Host { jobs, transcripts }, thread)
            });
            let (hosts, threads): (Vec<_>, Vec<_>) = threads.unzip();

            let crew = Crew { hosts };
            let result = crew.transcripts(message).and_then(|said| lead(&crew, said));
            drop(crew);
            let ends = threads.into_iter().map(|thread| match thread.join() {
                Ok(end) => end,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            let ends = all("powering off", ends);
            result.and_then(|result| ends.map(|_| result))
        })
    }

    /// Boots a host, and has it do jobs until there are no more or one fails.
    fn serve(
        &self,
        boot: &Boot,
        turns: &Turns,
        jobs: &Receiver<Job>,
        transcripts: &Sender<Result<Transcript>>,
    ) -> Result<()> {
        let give = |result: Result<Transcript>| {
            // Nobody listens any more where another host has failed.
            let _ = transcripts.send(result);
        };

        let turn = turns.take();
        let mut up = match self.up(boot) {
            Ok((up, transcript)) => {
                give(Ok(transcript));
                up
            }
            Err(error) => {
                give(Err(error));
                return Ok(());
            }
        };
        drop(turn);
        for job in jobs {
            let _turn = turns.take();
            let result = up.go_on(&job).with_context(|| boot.name());
            let failed = result.is_err();
            give(result);
            if failed {
                return Ok(());
            }
        }
        let _turn = turns.take();
        up.end().with_context(|| boot.name())
    }
}

impl Crew {
    /// Has each host do the job that is its own. Returns what they said.
    pub fn all(&self, message: &str, jobs: Vec<Job>) -> Result<Vec<Transcript>> {
        for (host, job) in self.hosts.iter().zip(jobs) {
            host.jobs.send(job).map_err(|_| anyhow!("a host is gone"))?;
        }
        self.transcripts(message)
    }

    fn transcripts(&self, message: &str) -> Result<Vec<Transcript>> {
        let step = Step::counter(message, self.hosts.len() as u64);
        let results = self.hosts.iter().map(|host| {
            let result = host.transcripts.recv();
            step.inc(1);
            result.context("a host's thread is gone")?
        });
        all(message, results)
    }
}

/// All of them, or all of their errors.
fn all<T>(message: &str, results: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let (mut good, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => good.push(one),
            Err(error) => errors.push(format!("{error:#}")),
        }
    }
    if !errors.is_empty() {
        bail!("{message}: {} failed\n{}", errors.len(), errors.join("\n"));
    }
    Ok(good)
}

/// Lets one host more work at a time than this machine has CPUs: each also waits now and then, for
/// its disk, its timers or what is typed to it.
struct Turns {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Turns {
    fn new() -> Self {
        Self {
            free: Mutex::new(thread::available_parallelism().map_or(1, usize::from) + 1),
            freed: Condvar::new(),
        }
    }

    fn take(&self) -> Turn<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .freed
            .wait_while(free, |free| *free == 0)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn(self)
    }
}

struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}
