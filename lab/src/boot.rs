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
use std::iter;
use std::os::fd::AsRawFd;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use jobserver::Client;

use crate::base::disk::Lock;
use crate::base::kernel::{Handlers, Kernel};
use crate::base::progress::Step;
use crate::base::project::Project;
use crate::boot::console::Transcript;
use crate::boot::job::{base_archive, Job};
use crate::boot::qemu::{firmware::Firmware, Machine};
use crate::get::qemu::emulator;
use crate::model::hosts::Host;
pub use crew::Crew;
use log::Log;
pub use up::Up;

/// A boot to be done.
pub struct Boot<'a> {
    /// What the boot is for: part of the name of its log.
    pub what: &'a str,
    pub host: &'a Host,
    pub kernel: Kernel,
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
        let (host, kernel) = (&self.host.name, self.kernel);
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
        each(&self.turns, message, boots.iter(), |boot| self.one(boot))
    }

    /// Does the work on all of something, in as many turns as hosts have. What it starts it has to
    /// end.
    pub fn each<A: Send, T: Send>(
        &self,
        message: &str,
        all: impl ExactSizeIterator<Item = A>,
        work: impl Fn(A) -> Result<T> + Sync,
    ) -> Vec<Result<T>> {
        each(&self.turns, message, all, work)
    }

    /// Boots one host, waits until it has powered off and returns what it said.
    pub fn one(&self, boot: &Boot) -> Result<Transcript> {
        let mut up = self.start(boot)?;
        let transcript = up.booted(boot.job)?;
        up.end()?;
        Ok(transcript)
    }

    /// Starts one host, which is to do its job and stay up.
    pub fn start(&self, boot: &Boot) -> Result<Up> {
        let initrd = self.initrd(boot.job)?;
        let (machine, log) = self.with_machine(boot, &initrd, |machine, log| {
            let running = machine.start(log).with_context(|| boot.name())?;
            Ok((running, Log::open(log)?))
        })?;
        Ok(Up {
            name: boot.name(),
            says_rust: boot.host.el2 && boot.kernel.handlers() == Handlers::Rust,
            limit: boot.limit,
            machine,
            log,
            _initrd: initrd,
        })
    }

    /// Boots one host at the terminal of this process, until it powers off or is ended there. Its
    /// job is what the person does.
    pub fn interact(&self, host: &Host, job: &Job) -> Result<()> {
        let boot = Boot {
            what: "shell",
            host,
            kernel: host.kernel,
            kunit: false,
            counts: false,
            job,
            // Of what QEMU does before the host boots.
            limit: Duration::from_secs(60),
        };
        let initrd = self.initrd(job)?;
        self.with_machine(&boot, &initrd, |machine, log| machine.interact(log))
    }

    /// Makes the machine of a boot, and the name of its log.
    fn with_machine<T>(
        &self,
        boot: &Boot,
        initrd: &File,
        use_it: impl FnOnce(&Machine, &Path) -> Result<T>,
    ) -> Result<T> {
        let Boot { what, host, .. } = boot;
        let talk = match (boot.kunit, boot.kernel) {
            (true, _) => "kunit.enable=1",
            // What these are for are warnings.
            (false, Kernel::Variant(_)) => "loglevel=5 kunit.enable=0",
            (false, _) => "quiet kunit.enable=0",
        };
        let firmware = self.project.firmware();
        let initrd = path_of(initrd);
        let qemu = match &host.qemu {
            Some(least) => emulator(self.project, least)?,
            None => vec![qemu::QEMU.into()],
        };
        let machine = Machine {
            qemu: &qemu,
            cpu: &host.cpu,
            memory: host.memory.max(boot.kernel.memory()),
            cpus: host.cpus,
            el2: host.el2,
            threads: host.threads,
            firmware: host.firmware.map(|answers| Firmware {
                image: &firmware,
                answers,
            }),
            kernel: &self.project.image(boot.kernel),
            initrd: Some(&initrd),
            cmdline: &format!("{talk} {}", host.cmdline),
            resets: false,
            counts: boot.counts,
            limit: boot.limit,
        };
        let log = format!("{what}-{}-{}.log", boot.kernel, host.name);
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

/// Does the work on all of something, each in a thread of its own and in its turn.
fn each<A: Send, T: Send>(
    turns: &Client,
    message: &str,
    mut all: impl ExactSizeIterator<Item = A>,
    work: impl Fn(A) -> Result<T> + Sync,
) -> Vec<Result<T>> {
    let (step, work) = (&Step::counter(message, all.len() as u64), &work);
    let turn = || Some((turns.acquire(), all.next()?));
    thread::scope(|scope| {
        let threads = iter::from_fn(turn).map(|(turn, one)| {
            scope.spawn(move || {
                let _turn = turn?;
                let result = work(one);
                step.inc(1);
                result
            })
        });
        let threads: Vec<_> = threads.collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .map(|result| result.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    })
}

/// A path by which a child finds an open file that has no name.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}
