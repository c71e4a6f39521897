// SPDX-License-Identifier: GPL-2.0

//! Hosts that stay up and do one job after the other, so that none is booted twice.

use std::cell::RefCell;

use anyhow::{ensure, Result};
use jobserver::Client;

use super::{each, Boot, Booter, Up};
use crate::boot::console::Transcript;
use crate::boot::job::Job;

pub struct Crew {
    hosts: RefCell<Vec<Up>>,
    turns: Client,
}

impl Booter<'_> {
    /// Boots all hosts. `lead` gets what they said when they had done their first jobs, and may
    /// give them more. Then they power off.
    pub fn crew<T>(
        &self,
        message: &str,
        boots: &[Boot],
        lead: impl FnOnce(&Crew, Vec<Transcript>) -> Result<T>,
    ) -> Result<T> {
        // Started by this thread, since QEMU goes away with the one that started it.
        let started = boots.iter().map(|boot| (self.start(boot), boot.job));
        let booted = each(&self.turns, message, started, |(up, job)| {
            let mut up = up?;
            let transcript = up.booted(job)?;
            Ok((up, transcript))
        });
        let (hosts, said) = all(message, booted)?.into_iter().unzip();
        let (hosts, turns) = (RefCell::new(hosts), self.turns.clone());
        let crew = Crew { hosts, turns };
        let result = lead(&crew, said);

        let message = "powering off";
        let hosts = crew.hosts.into_inner();
        let ended = all(
            message,
            each(&self.turns, message, hosts.into_iter(), Up::end),
        );
        result.and_then(|result| ended.map(|_| result))
    }
}

impl Crew {
    /// Has each host do the job that is its own. Returns what they said.
    pub fn all(&self, message: &str, jobs: Vec<Job>) -> Result<Vec<Transcript>> {
        let mut hosts = self.hosts.borrow_mut();
        let work = hosts.iter_mut().zip(jobs);
        let said = each(&self.turns, message, work, |(up, job)| up.go_on(&job));
        all(message, said)
    }
}

/// All of them, or all of their errors.
fn all<T>(message: &str, results: Vec<Result<T>>) -> Result<Vec<T>> {
    let (good, bad): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    let errors = bad.into_iter().filter_map(Result::err);
    let errors: Vec<String> = errors.map(|error| format!("{error:#}")).collect();
    ensure!(
        errors.is_empty(),
        "{message}: {} failed\n{}",
        errors.len(),
        errors.join("\n")
    );
    good.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use anyhow::bail;

    use super::*;

    #[test]
    fn all_work_in_turns_and_all_errors_are_told() {
        let turns = Client::new(2).unwrap();
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |number: i32| {
            most.fetch_max(1 + now.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            now.fetch_sub(1, Ordering::SeqCst);
            match number % 3 {
                2 => bail!("host {number} is lost"),
                _ => Ok(number),
            }
        };
        let results = each(&turns, "working", 0..6, work);
        let error = all("working", results).unwrap_err().to_string();
        assert_eq!(error, "working: 2 failed\nhost 2 is lost\nhost 5 is lost");
        assert_eq!(
            all("working", each(&turns, "working", 0..2, work)).unwrap(),
            [0, 1]
        );
        assert_eq!(most.into_inner(), 2);
    }
}
