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
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};

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
pub struct Booter<'a> {
    project: &'a Project,
    base: Vec<u8>,
    /// Where the consoles of this run are written.
    logs: PathBuf,
    _lock: Lock,
}

impl<'a> Booter<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        let (lock, logs) = Lock::first_free(&project.base().join("log"), "boot")?;
        Ok(Self {
            project,
            base: base_archive(project)?,
            logs,
            _lock: lock,
        })
    }

    /// Boots all, as many at a time as this machine has CPUs. The results are in the order of
    /// `boots`; one that fails does not stop the others.
    pub fn all(&self, message: &str, boots: &[Boot]) -> Vec<Result<Transcript>> {
        let step = Step::counter(message, boots.len() as u64);
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        let workers = std::thread::available_parallelism().map_or(1, usize::from);

        std::thread::scope(|scope| {
            for _ in 0..workers.min(boots.len()) {
                scope.spawn(|| loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(boot) = boots.get(index) else { break };
                    let result = self.one(boot);
                    step.inc(1);
                    results
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push((index, result));
                });
            }
        });

        let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    /// Boots one host, waits until it has powered off and returns what it said.
    ///
    /// # Errors
    ///
    /// Everything that makes the console doubtful; the message names the host and shows the
    /// console's end.
    pub fn one(&self, boot: &Boot) -> Result<Transcript> {
        let (up, transcript) = self.up(boot)?;
        up.end().with_context(|| boot.name())?;
        Ok(transcript)
    }

    /// Boots one host, which does its job and stays up.
    fn up<'b>(&self, boot: &'b Boot) -> Result<(Up<'b>, Transcript)> {
        let log = self.log(boot);
        self.with_machine(boot, |machine| Up::boot(boot, machine, &log))?
            .with_context(|| boot.name())
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
        let log = self.log(&boot);
        self.with_machine(&boot, |machine| machine.interact(&log))?
    }

    fn with_machine<T>(&self, boot: &Boot, use_it: impl FnOnce(&Machine) -> T) -> Result<T> {
        let initrd = self.initrd(boot)?;
        let talk = if boot.kunit {
            "kunit.enable=1"
        } else {
            "quiet kunit.enable=0"
        };
        let (image, kernel) = (self.project.firmware(), self.project.image(boot.handlers));
        let (initrd, cmdline) = (path_of(&initrd), format!("{talk} {}", boot.host.cmdline));
        let machine = Machine {
            cpu: &boot.host.cpu,
            memory: boot.host.memory,
            cpus: boot.host.cpus,
            firmware: boot.host.firmware.map(|answers| Firmware {
                image: &image,
                answers,
            }),
            kernel: &kernel,
            initrd: Some(&initrd),
            cmdline: &cmdline,
            resets: false,
            counts: boot.counts,
            limit: boot.limit,
        };
        Ok(use_it(&machine))
    }

    /// The base archive with the job behind it, in a file without a name: it goes away with this
    /// process, whatever ends that.
    fn initrd(&self, boot: &Boot) -> Result<File> {
        let directory = self.project.out("tmp");
        fs_err::create_dir_all(&directory)?;
        let mut file = tempfile::tempfile_in(directory)?;
        file.write_all(&self.base)?;
        file.write_all(&boot.job.archive()?)?;
        Ok(file)
    }

    fn log(&self, boot: &Boot) -> PathBuf {
        let (handlers, host) = (boot.handlers.name(), &boot.host.name);
        self.logs
            .join(format!("{}-{handlers}-{host}.log", boot.what))
    }
}

/// A path by which a child finds an open file that has no name.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}
