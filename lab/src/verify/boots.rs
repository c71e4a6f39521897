// SPDX-License-Identifier: GPL-2.0

//! Which boots the steps need, shared where they can be.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{anyhow, bail, ensure, Context, Result};

use crate::base::project::{Handlers, Project};
use crate::boot::console::{Section, Transcript};
use crate::boot::job::Job;
use crate::boot::{Boot, Booter};
use crate::model::hosts::{self, Host};

/// The last resort against a host that hangs; commands have limits of their own.
const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// One boot that steps can share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    host: String,
    handlers: Handlers,
    mode: Mode,
}

/// For what it boots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Commands,
    /// Has the kernel run its own tests.
    Kunit,
    /// Has every VM be strict.
    Strict,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Commands => "check",
            Self::Kunit => "kunit",
            Self::Strict => "strict",
        }
    }

    /// What a host's command line has then in addition to its own.
    fn cmdline(self) -> &'static str {
        match self {
            Self::Commands | Self::Kunit => "",
            Self::Strict => " kvm_arm_fw_regs.strict=1",
        }
    }
}

/// What to run where.
#[derive(Debug, Default)]
pub struct Plan {
    jobs: BTreeMap<Key, Job>,
}

impl Plan {
    /// The job of a host with that kernel, for a step to add its commands.
    pub fn job(&mut self, host: &str, handlers: Handlers) -> &mut Job {
        self.jobs
            .entry(key(host, handlers, Mode::Commands))
            .or_default()
    }

    /// Boots a host with the Rust handlers for their KUnit tests.
    pub fn kunit(&mut self, host: &str) {
        self.jobs
            .entry(key(host, Handlers::Rust, Mode::Kunit))
            .or_default();
    }

    /// The job of a host with the Rust handlers, on which every VM is strict.
    pub fn strict(&mut self, host: &str) -> &mut Job {
        self.jobs
            .entry(key(host, Handlers::Rust, Mode::Strict))
            .or_default()
    }

    /// Boots all that was planned.
    pub fn boot(self, project: &Project, hosts: &[Host]) -> Result<Boots> {
        // The long ones first, so that the last to end is a short one.
        let mut jobs: Vec<(Key, Job)> = self.jobs.into_iter().collect();
        jobs.sort_by_key(|(_, job)| Reverse(job.commands().len()));

        let hosts = jobs.iter().map(|(key, _)| {
            let mut host = hosts::find(hosts, &key.host)?.clone();
            host.cmdline += key.mode.cmdline();
            Ok(host)
        });
        let hosts: Vec<Host> = hosts.collect::<Result<_>>()?;
        let boots = jobs.iter().zip(&hosts).map(|((key, job), host)| Boot {
            what: key.mode.name(),
            host,
            handlers: key.handlers,
            kunit: key.mode == Mode::Kunit,
            counts: false,
            job,
            limit: BOOT_LIMIT,
        });
        let boots: Vec<Boot> = boots.collect();
        if boots.is_empty() {
            return Ok(Boots::default());
        }

        let results = Booter::new(project)?.all("booting hosts", &boots);
        let keys = jobs.iter().map(|(key, _)| key.clone());
        Ok(Boots {
            results: keys.zip(results).collect(),
        })
    }
}

/// How the boots went.
#[derive(Default)]
pub struct Boots {
    results: BTreeMap<Key, Result<Transcript>>,
}

impl Boots {
    /// The console of a host.
    ///
    /// # Errors
    ///
    /// The boot's own, in full: whoever asks has no results to show.
    pub fn transcript(&self, host: &str, handlers: Handlers) -> Result<&Transcript> {
        self.get(&key(host, handlers, Mode::Commands))
    }

    /// One command's output on a host.
    pub fn section(&self, host: &str, handlers: Handlers, name: &str) -> Result<&Section> {
        self.transcript(host, handlers)?.section(name)
    }

    /// The console of a host that ran its KUnit tests.
    pub fn kunit(&self, host: &str) -> Result<&Transcript> {
        self.get(&key(host, Handlers::Rust, Mode::Kunit))
    }

    /// The console of a host on which every VM is strict.
    pub fn strict(&self, host: &str) -> Result<&Transcript> {
        self.get(&key(host, Handlers::Rust, Mode::Strict))
    }

    fn get(&self, key: &Key) -> Result<&Transcript> {
        match self.results.get(key) {
            Some(Ok(transcript)) => Ok(transcript),
            Some(Err(error)) => Err(anyhow!("{error:#}")),
            None => bail!("host {} was not booted", key.host),
        }
    }
}

fn key(host: &str, handlers: Handlers, mode: Mode) -> Key {
    Key {
        host: host.to_owned(),
        handlers,
        mode,
    }
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
    job.command(
        command_name(suite, test),
        seconds,
        format!("/selftests/{test}"),
    );
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

/// Names of the programs that a selftest source directory describes.
pub fn programs(sources: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(sources)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            let name = path.file_stem().and_then(|stem| stem.to_str());
            names.push(name.context("a name that is not text")?.to_owned());
        }
    }
    names.sort();
    Ok(names)
}
