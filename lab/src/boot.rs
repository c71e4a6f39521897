// SPDX-License-Identifier: GPL-2.0

//! Boots hosts: one, or many side by side.

use std::fs::File;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{anyhow, ensure, Result};

use crate::console::{self, Transcript};
use crate::hosts::Host;
use crate::job::{base_archive, Job};
use crate::project::{Handlers, Project};
use crate::qemu::{firmware::Firmware, Machine};
use crate::ui::Step;

/// What a kernel with the Rust handlers says when it boots.
const SERVED_BY_RUST: &str = "firmware pseudo-registers served by Rust";

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
    pub job: &'a Job,
    pub limit: Duration,
}

/// Boots a project's kernels on hosts.
pub struct Booter<'a> {
    project: &'a Project,
    base: Vec<u8>,
}

impl<'a> Booter<'a> {
    pub fn new(project: &'a Project) -> Result<Self> {
        Ok(Self {
            project,
            base: base_archive(project)?,
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

    /// Boots one host, waits until it has powered off and returns its console.
    ///
    /// # Errors
    ///
    /// Everything that makes the console doubtful; the message names the host and shows the
    /// console's end.
    pub fn one(&self, boot: &Boot) -> Result<Transcript> {
        let log = self.log(boot)?;
        self.run(boot, &log).map_err(|error| {
            let text = fs_err::read(&log).unwrap_or_default();
            let place = log.strip_prefix(self.project.root()).unwrap_or(&log);
            let tail = match console::tail(&console::clean(&text)) {
                tail if tail.is_empty() => " is empty".to_owned(),
                tail => format!(" ends with\n{}", tail.trim_end()),
            };
            anyhow!(
                "host {} with the {} kernel: {error:#}\n  its console, {},{tail}",
                boot.host.name,
                boot.handlers.name(),
                place.display(),
            )
        })
    }

    /// Boots one host at the terminal of this process, until it powers off or is ended there. Its
    /// job is what the person does.
    pub fn interact(&self, host: &Host, job: &Job) -> Result<()> {
        let boot = Boot {
            what: "shell",
            host,
            handlers: host.kernel,
            kunit: false,
            job,
            limit: PREPARATION_LIMIT,
        };
        let log = self.log(&boot)?;
        self.with_machine(&boot, |machine| machine.interact(&log))?
    }

    fn with_machine<T>(&self, boot: &Boot, use_it: impl FnOnce(&Machine) -> T) -> Result<T> {
        let initrd = self.initrd(boot)?;
        let talk = if boot.kunit {
            "kunit.enable=1"
        } else {
            "quiet kunit.enable=0"
        };
        let image = self.project.firmware();
        let machine = Machine {
            cpu: &boot.host.cpu,
            memory: boot.host.memory,
            cpus: boot.host.cpus,
            firmware: boot.host.firmware.map(|answers| Firmware {
                image: &image,
                answers,
            }),
            kernel: &self.project.image(boot.handlers),
            initrd: Some(&path_of(&initrd)),
            cmdline: &format!("{talk} {}", boot.host.cmdline),
            resets: false,
            limit: boot.limit,
        };
        Ok(use_it(&machine))
    }

    fn run(&self, boot: &Boot, log: &Path) -> Result<Transcript> {
        let ran = self.with_machine(boot, |machine| machine.run(log))?;
        let text = console::clean(&fs_err::read(log)?);
        fs_err::write(log, &text)?;
        if let Err(error) = ran {
            // Why a machine did not end well is better told by its kernel.
            return Err(match console::complaint(&text) {
                Some(complaint) => error.context(format!("the host complained: {complaint}")),
                None => error,
            });
        }

        let transcript = console::parse(&text, boot.job)?;
        check_handlers(boot.handlers, &transcript.served)?;
        Ok(transcript)
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

    fn log(&self, boot: &Boot) -> Result<PathBuf> {
        let directory = self.project.out("log/boot");
        fs_err::create_dir_all(&directory)?;
        Ok(directory.join(format!(
            "{}-{}-{}.log",
            boot.what,
            boot.handlers.name(),
            boot.host.name
        )))
    }
}

/// A path by which a child finds an open file that has no name.
fn path_of(file: &File) -> PathBuf {
    format!("/proc/{}/fd/{}", std::process::id(), file.as_raw_fd()).into()
}

/// Whether the kernel is the one that was meant.
fn check_handlers(meant: Handlers, served: &str) -> Result<()> {
    let rust = served.contains(SERVED_BY_RUST);
    match meant {
        Handlers::Rust => ensure!(
            rust,
            "the kernel does not say \"{SERVED_BY_RUST}\": not a kernel with the Rust handlers"
        ),
        Handlers::C => ensure!(
            !rust,
            "the kernel says \"{served}\": not a kernel with the C handlers"
        ),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_must_be_the_one_meant() {
        let line = "[    0.1] kvm [1]: firmware pseudo-registers served by Rust";
        assert!(check_handlers(Handlers::Rust, line).is_ok());
        assert!(check_handlers(Handlers::C, "").is_ok());
        assert!(check_handlers(Handlers::Rust, "").is_err());
        assert!(check_handlers(Handlers::C, line).is_err());
    }
}
