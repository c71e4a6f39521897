// SPDX-License-Identifier: GPL-2.0

//! Which boots the steps need, shared where they can be.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{anyhow, ensure, Context, Result};

use crate::base::kernel::Kernel;
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::boot::job::Job;
use crate::boot::{Boot, Booter};
use crate::model::hosts::{self, Host};
use crate::model::results::Case;

/// The last resort against a host that hangs, besides its longest command; each has a limit of its
/// own.
const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// What a host boots for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    Commands,
    /// The kernel runs its own tests.
    Kunit,
    /// Every VM is strict.
    Strict,
}

/// One boot that steps can share.
type Key = (String, Kernel, Mode);

/// What to run where.
#[derive(Debug, Default)]
pub struct Plan {
    jobs: BTreeMap<Key, Job>,
}

impl Plan {
    /// The job of a host with that kernel, for a step to add its commands.
    pub fn job(&mut self, host: &str, kernel: impl Into<Kernel>) -> &mut Job {
        self.job_in(Mode::Commands, host, kernel)
    }

    pub fn job_in(&mut self, mode: Mode, host: &str, kernel: impl Into<Kernel>) -> &mut Job {
        let key = (host.to_owned(), kernel.into(), mode);
        self.jobs.entry(key).or_default()
    }

    /// Boots all that was planned.
    pub fn boot(self, project: &Project, hosts: &[Host]) -> Result<Boots> {
        if self.jobs.is_empty() {
            return Ok(Boots::default());
        }
        let jobs = self.jobs.into_iter().map(|((name, kernel, mode), job)| {
            let mut host = hosts::find(hosts, &name)?.clone();
            if mode == Mode::Strict {
                host.cmdline += " kvm_arm_fw_regs.strict=1";
            }
            Ok((host, kernel, mode, job))
        });
        let mut jobs: Vec<(Host, Kernel, Mode, Job)> = jobs.collect::<Result<_>>()?;
        // The long ones first, so that the last to end is a short one.
        jobs.sort_by_key(|(.., job)| Reverse(job.commands().len()));
        let boots = jobs.iter().map(|(host, kernel, mode, job)| Boot {
            what: match mode {
                Mode::Commands => "check",
                Mode::Kunit => "kunit",
                Mode::Strict => "strict",
            },
            host,
            kernel: *kernel,
            kunit: *mode == Mode::Kunit,
            counts: false,
            job,
            limit: BOOT_LIMIT + longest(job),
        });
        let boots: Vec<Boot> = boots.collect();
        let results = Booter::new(project)?.all("booting hosts", &boots);
        let keys = jobs.into_iter();
        let keys = keys.map(|(host, kernel, mode, _)| (host.name, kernel, mode));
        Ok(Boots(keys.zip(results).collect()))
    }
}

fn longest(job: &Job) -> Duration {
    let limits = job.commands().iter().map(|command| command.limit);
    Duration::from_secs(limits.max().unwrap_or(0))
}

/// How the boots went.
#[derive(Default)]
pub struct Boots(BTreeMap<Key, Result<Transcript>>);

impl Boots {
    /// The console of a host.
    ///
    /// # Errors
    ///
    /// The boot's own, in full: whoever asks has no results to show.
    pub fn transcript(&self, host: &str, kernel: impl Into<Kernel>) -> Result<&Transcript> {
        self.transcript_in(Mode::Commands, host, kernel)
    }

    pub fn transcript_in(
        &self,
        mode: Mode,
        host: &str,
        kernel: impl Into<Kernel>,
    ) -> Result<&Transcript> {
        let boot = self.0.get(&(host.to_owned(), kernel.into(), mode));
        let boot = boot.with_context(|| format!("host {host} was not booted"))?;
        boot.as_ref().map_err(|error| anyhow!("{error:#}"))
    }
}

/// The cases of one host, or one failure where they cannot be told: the other hosts have theirs.
pub fn cases_or_failure(cases: Result<Vec<Case>>) -> Vec<Case> {
    cases.unwrap_or_else(|error| vec![Case::fail("boot", format!("{error:#}"))])
}

/// Adds a selftest to a job: `test` is the program, with options if there are any.
pub fn selftest(
    project: &Project,
    job: &mut Job,
    suite: &str,
    test: &str,
    seconds: u64,
) -> Result<()> {
    let program = program(test);
    let from = project.selftests().join(program);
    ensure!(
        from.is_file(),
        "the selftest {program} was not built: {} is missing",
        from.display()
    );
    job.program(format!("selftests/{program}"), from);
    let name = command_name(suite, test);
    job.command(name, seconds, format!("/selftests/{test}"));
    Ok(())
}

/// What a selftest's command is named in a job.
pub fn command_name(suite: &str, test: &str) -> String {
    format!("{suite}:{}", program(test))
}

/// A selftest without its options.
pub fn program(test: &str) -> &str {
    test.split(' ').next().unwrap_or(test)
}

#[cfg(test)]
pub mod testing {
    use super::*;
    use crate::base::kernel::Handlers;
    use crate::boot::console::Section;
    use crate::model::results::Outcome;

    /// The console of a host with these commands, all of which ended well.
    pub fn transcript(outputs: &[(&str, &str)]) -> Transcript {
        let section = |(name, output): &(&str, &str)| Section {
            name: (*name).to_owned(),
            status: 0,
            output: (*output).to_owned(),
        };
        Transcript {
            kernel: String::new(),
            served: String::new(),
            sections: outputs.iter().map(section).collect(),
        }
    }

    /// The names of failed cases, with the causes.
    pub fn failures(cases: &[Case]) -> Vec<String> {
        let failed = |case: &Case| match &case.outcome {
            Outcome::Fail(cause) => Some(format!("{}: {cause}", case.name)),
            _ => None,
        };
        cases.iter().filter_map(failed).collect()
    }

    /// Hosts with the Rust handlers, and how their boots went.
    pub fn boots<const N: usize>(boots: [(&str, Result<Transcript>); N]) -> Boots {
        let key = |host: &str| (host.to_owned(), Handlers::Rust.into(), Mode::Commands);
        Boots(boots.map(|(host, boot)| (key(host), boot)).into())
    }
}
