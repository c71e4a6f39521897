// SPDX-License-Identifier: GPL-2.0

//! Boots hosts: one, or many side by side.

pub mod console;
mod crew;
mod initramfs;
pub mod job;
mod log;
pub mod qemu;
mod up;

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use jobserver::Client;

use crate::base::disk::Lock;
use crate::base::progress::Step;
use crate::base::project::{Handlers, Project};
use crate::boot::console::Transcript;
use crate::boot::job::{base_archive, Job};
use crate::boot::qemu::{firmware::Firmware, Machine};
use crate::model::hosts::Host;
pub use crew::Crew;
use up::Up;

/// How long QEMU may take for what it does before a person's host boots.
const PREPARATION_LIMIT: Duration = Duration::from_secs(60);

/// A boot to be done.
pub struct Boot<'a> {
    /// What the boot is for: part of the name of its log.
    pub what: &'a str,
    pub host: &'a Host,
    pub handlers: Handlers,
    /// Runs the kernel's own tests and shows all that the kernel says.
    pub kunit: bool,
    /// Whether the host's clock counts instructions.
    pub counts: bool,
    pub job: &'a Job,
    /// How long it may take: to boot and do its job, and to power off.
    pub limit: Duration,
}

impl Boot<'_> {
    fn name(&self) -> String {
        let (host, kernel) = (&self.host.name, self.handlers.name());
        format!("host {host} with the {kernel} kernel")
    }
}

/// Boots a project's kernels on hosts.
///
/// An error is all that makes a console doubtful; it names the host and shows the console's end.
pub struct Booter<'a> {
    project: &'a Project,
    base: Vec<u8>,
    /// Where the consoles of this run are written.
    logs: PathBuf,
    /// As many hosts work at a time.
    turns: Client,
    _lock: Lock,
}

impl<'a> Booter<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        let (lock, logs) = Lock::first_free(&project.base().join("log"), "boot")?;
        let cpus = thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            project,
            base: base_archive(project)?,
            logs,
            // Each also waits now and then, for its disk, its timers or what is typed to it.
            turns: Client::new(cpus + 1)?,
            _lock: lock,
        })
    }

    /// Boots all. The results are in the order of `boots`; one that fails does not stop the others.
    pub fn all(&self, message: &str, boots: &[Boot]) -> Vec<Result<Transcript>> {
        let step = &Step::counter(message, boots.len() as u64);
        let boot = |boot| {
            let _turn = self.turns.acquire()?;
            let result = self.one(boot);
            step.inc(1);
            result
        };
        thread::scope(|scope| {
            let threads = boots.iter().map(|it| scope.spawn(move || boot(it)));
            let threads: Vec<_> = threads.collect();
            threads.into_iter().map(join).collect()
        })
    }

    /// Boots one host, waits until it has powered off and returns what it said.
    pub fn one(&self, boot: &Boot) -> Result<Transcript> {
        let booted = self.up(boot);
        let ended = booted.and_then(|(up, transcript)| up.end().map(|()| transcript));
        ended.with_context(|| boot.name())
    }

    /// Boots one host, which does its job and stays up.
    fn up<'b>(&self, boot: &'b Boot) -> Result<(Up<'b>, Transcript)> {
        self.with_machine(boot, |machine, log| Up::boot(boot, machine, log))
    }

    /// Boots one host at the terminal of this process, until it powers off or is ended there. Its
    /// job is what the person does.
    pub fn interact(&self, host: &Host, job: &Job) -> Result<()> {
        let boot = Boot {
            what: "shell",
            host,
            handlers: host.kernel,
            kunit: false,
            counts: false,
            job,
            limit: PREPARATION_LIMIT,
        };
        self.with_machine(&boot, |machine, log| machine.interact(log))
    }

    /// Makes the machine of a boot, and the name of its log.
    fn with_machine<T>(
        &self,
        boot: &Boot,
        use_it: impl FnOnce(&Machine, &Path) -> Result<T>,
    ) -> Result<T> {
        let Boot { what, host, .. } = boot;
        let talk = if boot.kunit {
            "kunit.enable=1"
        } else {
            "quiet kunit.enable=0"
        };
        let initrd = self.initrd(boot.job)?;
        let firmware = self.project.firmware();
        let machine = Machine {
            cpu: &host.cpu,
            memory: host.memory,
            cpus: host.cpus,
            firmware: host.firmware.map(|answers| Firmware {
                image: &firmware,
                answers,
            }),
            kernel: &self.project.image(boot.handlers),
            initrd: Some(&path_of(&initrd)),
            cmdline: &format!("{talk} {}", host.cmdline),
            resets: false,
            counts: boot.counts,
            limit: boot.limit,
        };
        let log = format!("{what}-{}-{}.log", boot.handlers.name(), host.name);
        use_it(&machine, &self.logs.join(log))
    }

    /// The base archive with the job behind it, in a file without a name: it goes away with this
    /// process, whatever ends that.
    fn initrd(&self, job: &Job) -> Result<File> {
        let directory = self.project.out("tmp");
        fs_err::create_dir_all(&directory)?;
        let mut file = tempfile::tempfile_in(directory)?;
        file.write_all(&self.base)?;
        file.write_all(&job.archive()?)?;
        Ok(file)
    }
}

fn join<T>(thread: ScopedJoinHandle<T>) -> T {
    let result = thread.join();
    result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// A path by which a child finds an open file that has no name.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}
