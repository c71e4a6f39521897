// SPDX-License-Identifier: GPL-2.0

//! One run of QEMU.

pub mod firmware;

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{anyhow, bail, Result};
use duct::{Expression, Handle};
use fs_err::File;
use os_pipe::PipeWriter;
use rustix::process::Signal;

use crate::base::process::die_with_us;
use firmware::Firmware;

const QEMU: &str = "qemu-system-aarch64";
const PACKAGE: &str = "qemu-system-arm";

/// The board; QEMU itself serves PSCI.
const BOARD: &str = "virt,virtualization=on,gic-version=3";

/// All CPUs of a host take turns on one thread. With a thread for each, a host with several CPUs may
/// never leave `kvm_unexpected_el2_exception()` of its EL2 code, whatever the handlers.
const ACCELERATOR: &str = "tcg,thread=single";

/// What every host's kernel is told. A panic or an oops ends QEMU at once.
const CMDLINE: &str = "console=ttyAMA0 panic=-1 oops=panic";

/// A machine to run until it powers off.
pub struct Machine<'a> {
    pub cpu: &'a str,
    /// In MiB.
    pub memory: u32,
    pub cpus: u32,
    pub firmware: Option<Firmware<'a>>,
    pub kernel: &'a Path,
    pub initrd: Option<&'a Path>,
    /// Added to what every host's kernel is told.
    pub cmdline: &'a str,
    /// Whether it starts anew when it resets itself, instead of ending.
    pub resets: bool,
    /// Whether its clock counts instructions: one in each nanosecond.
    pub counts: bool,
    pub limit: Duration,
}

/// A machine that runs. It is ended where this is dropped.
pub struct Running {
    qemu: Handle,
    console: PipeWriter,
    limit: Duration,
}

impl Running {
    /// Whether QEMU has ended.
    ///
    /// # Errors
    ///
    /// It has ended with an error.
    pub fn ended(&self) -> Result<bool> {
        match self.qemu.try_wait()? {
            Some(output) => check(output.status).map(|()| true),
            None => Ok(false),
        }
    }

    /// Types on the machine's console.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.console.write_all(bytes)
    }

    /// Waits until it has powered off.
    ///
    /// # Errors
    ///
    /// QEMU ends with an error or does not end in time.
    pub fn wait(&self) -> Result<()> {
        match self.qemu.wait_timeout(self.limit)? {
            Some(output) => check(output.status),
            None => Err(late(self.limit)),
        }
    }

    /// Ends it, in whatever state it is.
    pub fn end(&self) -> Result<()> {
        Ok(self.qemu.kill()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // There is nobody to tell of an error.
        let _ = self.end();
    }
}

impl Machine<'_> {
    /// Runs the machine with its console, and what QEMU itself says, in the file `log`.
    ///
    /// # Errors
    ///
    /// QEMU cannot be started, ends with an error or does not end in time.
    pub fn run(&self, log: &Path) -> Result<()> {
        self.start(log)?.wait()
    }

    /// The same, without waiting until it ends.
    pub fn start(&self, log: &Path) -> Result<Running> {
        let (board, boot) = self.board(log)?;
        self.start_as(&board, boot, log)
    }

    /// Runs the machine with its console, and QEMU's monitor behind Ctrl-A c, at the terminal of
    /// this process, for as long as the person there wants.
    ///
    /// # Errors
    ///
    /// QEMU cannot be started, or ends with an error.
    pub fn interact(&self, log: &Path) -> Result<()> {
        let (board, boot) = self.board(log)?;
        let arguments = self.arguments(&board, "mon:stdio").into_iter().chain(boot);
        let handle = qemu(arguments).start().map_err(explain)?;
        check(handle.wait()?.status)
    }

    /// The board, and how it boots. `log` names files that that takes.
    fn board(&self, log: &Path) -> Result<(String, Vec<String>)> {
        let Some(firmware) = &self.firmware else {
            return Ok((BOARD.to_owned(), self.direct(self.initrd, self.cmdline)));
        };

        // Where QEMU is the firmware itself, it tells the kernel of it in the device tree. Where it
        // is not, that tree is the right one all the same, for ours does what QEMU does.
        let tree = log.with_extension("dtb");
        let board = format!("{BOARD},dumpdtb={}", firmware::quote(&tree));
        let cmdline = format!("{} {}", self.cmdline, firmware::cmdline(self.initrd)?);
        self.start_as(&board, self.direct(None, &cmdline), log)?
            .wait()?;

        let board = format!("{BOARD},{}", firmware::BOARD);
        Ok((board, firmware.boot(&tree, self.kernel, self.initrd)))
    }

    fn start_as(&self, board: &str, boot: Vec<String>, log: &Path) -> Result<Running> {
        let arguments = self.arguments(board, "stdio").into_iter().chain(boot);
        let (input, console) = os_pipe::pipe()?;
        let qemu = qemu(arguments)
            .stdin_file(input)
            .stderr_to_stdout()
            .stdout_file(File::create(log)?)
            .start()
            .map_err(explain)?;
        Ok(Running {
            qemu,
            console,
            limit: self.limit,
        })
    }

    fn arguments(&self, board: &str, console: &str) -> Vec<String> {
        let mut arguments = strings(&[
            ("-machine", board),
            ("-cpu", self.cpu),
            ("-m", &self.memory.to_string()),
            ("-smp", &self.cpus.to_string()),
            ("-display", "none"),
            ("-monitor", "none"),
            ("-serial", console),
            ("-net", "none"),
            ("-accel", ACCELERATOR),
        ]);
        if self.counts {
            arguments.extend(strings(&[("-icount", "shift=0")]));
        }
        if !self.resets {
            arguments.push("-no-reboot".to_owned());
        }
        arguments
    }

    /// Has QEMU itself start the kernel.
    fn direct(&self, initrd: Option<&Path>, cmdline: &str) -> Vec<String> {
        let mut arguments = strings(&[
            ("-kernel", &self.kernel.to_string_lossy()),
            ("-append", &format!("{CMDLINE} {cmdline}")),
        ]);
        if let Some(initrd) = initrd {
            arguments.extend(strings(&[("-initrd", &initrd.to_string_lossy())]));
        }
        arguments
    }
}

fn check(status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("{QEMU} (package {PACKAGE}) failed with {status}");
    }
    Ok(())
}

/// For one that has not done in time what it should have.
pub fn late(limit: Duration) -> anyhow::Error {
    anyhow!("still running after {} s", limit.as_secs())
}

fn strings(options: &[(&str, &str)]) -> Vec<String> {
    let words = options.iter().flat_map(|(option, value)| [option, value]);
    words.map(|word| (*word).to_owned()).collect()
}

/// QEMU, to be started; how it ends is to be looked at.
fn qemu(arguments: impl Iterator<Item = String>) -> Expression {
    duct::cmd(QEMU, arguments)
        .unchecked()
        .before_spawn(|command| {
            die_with_us(command, Signal::KILL);
            Ok(())
        })
}

fn explain(error: io::Error) -> anyhow::Error {
    let missing = error.kind() == io::ErrorKind::NotFound;
    let error = anyhow::Error::new(error);
    if missing {
        error.context(format!("{QEMU} not found: install the package {PACKAGE}"))
    } else {
        error.context(format!("{QEMU} (package {PACKAGE}) did not start"))
    }
}
