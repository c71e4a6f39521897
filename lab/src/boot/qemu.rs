// SPDX-License-Identifier: GPL-2.0

//! One run of QEMU.

pub mod firmware;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::{anyhow, ensure, Context, Result};
use duct::{Expression, Handle};
use fs_err::File;
use os_pipe::PipeWriter;
use rustix::process::Signal;

use crate::base::process::die_with_us;
use firmware::Firmware;

pub const QEMU: &str = "qemu-system-aarch64";
const PACKAGE: &str = "qemu-system-arm";

/// The board; QEMU itself serves PSCI.
const BOARD: &str = "virt,gic-version=3";
const WITH_EL2: &str = ",virtualization=on";

/// All CPUs of a host take turns on one thread. With a thread for each, a host with several CPUs and
/// without VHE may never leave `kvm_unexpected_el2_exception()` of its EL2 code, whatever the handlers.
const IN_TURNS: &str = "tcg,thread=single";
const AT_ONCE: &str = "tcg,thread=multi";

/// What every host's kernel is told. A panic or an oops ends QEMU at once.
const CMDLINE: &str = "console=ttyAMA0 panic=-1 oops=panic";

/// A machine to run until it powers off.
pub struct Machine<'a> {
    /// How QEMU is started.
    pub qemu: &'a [PathBuf],
    pub cpu: &'a str,
    /// In MiB.
    pub memory: u32,
    pub cpus: u32,
    /// Whether these have EL2.
    pub el2: bool,
    /// Whether these work at the same time.
    pub threads: bool,
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
    pub console: PipeWriter,
}

impl Running {
    pub fn start(qemu: &Expression, log: &Path) -> Result<Self> {
        let (input, console) = os_pipe::pipe()?;
        let qemu = qemu.stdin_file(input);
        let qemu = qemu.stderr_to_stdout().stdout_file(File::create(log)?);
        let qemu = start(&qemu)?;
        Ok(Self { qemu, console })
    }

    /// Whether QEMU has ended; an error, if it has with one.
    pub fn ended(&self) -> Result<bool> {
        match self.qemu.try_wait()? {
            Some(output) => check(output.status).map(|()| true),
            None => Ok(false),
        }
    }

    /// Waits until it has powered off; an error, if that takes too long.
    pub fn wait(&self, limit: Duration) -> Result<()> {
        let ended = self.qemu.wait_timeout(limit)?;
        check(ended.ok_or_else(|| late(limit))?.status)
    }

    /// Ends it, in whatever state it is.
    pub fn end(&self) -> Result<()> {
        self.qemu.kill()?;
        self.qemu.wait()?;
        Ok(())
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
    pub fn run(&self, log: &Path) -> Result<()> {
        self.start(log)?.wait(self.limit)
    }

    /// The same, without waiting until it ends.
    pub fn start(&self, log: &Path) -> Result<Running> {
        let (board, boot) = self.board(log)?;
        self.start_as(&board, boot, log)
    }

    /// Runs the machine with its console, and QEMU's monitor behind Ctrl-A c, at the terminal of
    /// this process, for as long as the person there wants.
    pub fn interact(&self, log: &Path) -> Result<()> {
        let (board, boot) = self.board(log)?;
        let qemu = start(&self.qemu(&board, boot, "mon:stdio"))?;
        check(qemu.wait()?.status)
    }

    /// The board, and how it boots. `log` names files that that takes.
    fn board(&self, log: &Path) -> Result<(String, Vec<String>)> {
        let mut board = board(self.el2);
        let Some(firmware) = &self.firmware else {
            return Ok((board, self.direct(self.initrd, self.cmdline)));
        };

        // Where QEMU is the firmware itself, it tells the kernel of it in the device tree. Where it
        // is not, that tree is the right one all the same, for ours does what QEMU does.
        let tree = log.with_extension("dtb");
        let dumping = format!("{board},dumpdtb={}", firmware::quote(&tree));
        let cmdline = format!("{} {}", self.cmdline, firmware::cmdline(self.initrd)?);
        self.start_as(&dumping, self.direct(None, &cmdline), log)?
            .wait(self.limit)?;

        board += &format!(",{}", firmware::BOARD);
        Ok((board, firmware.boot(&tree, self.kernel, self.initrd)))
    }

    fn start_as(&self, board: &str, boot: Vec<String>, log: &Path) -> Result<Running> {
        Running::start(&self.qemu(board, boot, "stdio"), log)
    }

    /// QEMU, to be started; how it ends is to be looked at.
    fn qemu(&self, board: &str, boot: Vec<String>, console: &str) -> Expression {
        let (memory, cpus) = (self.memory.to_string(), self.cpus.to_string());
        let mut arguments = vec![
            "-machine", board, "-cpu", self.cpu, "-m", &memory, "-smp", &cpus,
        ];
        arguments.extend(["-display", "none", "-monitor", "none", "-serial", console]);
        let accelerator = if self.threads { AT_ONCE } else { IN_TURNS };
        arguments.extend(["-net", "none", "-accel", accelerator]);
        if self.counts {
            arguments.extend(["-icount", "shift=0"]);
        }
        if !self.resets {
            arguments.push("-no-reboot");
        }
        arguments.extend(boot.iter().map(String::as_str));
        let (program, first) = self.qemu.split_first().expect("a program");
        // Of a path duct takes no name that is on PATH.
        let program = program.as_os_str();
        let first = first.iter().map(OsString::from);
        duct::cmd(
            program,
            first.chain(arguments.into_iter().map(OsString::from)),
        )
        .unchecked()
        .before_spawn(|command| {
            die_with_us(command, Signal::KILL);
            Ok(())
        })
    }

    /// Has QEMU itself start the kernel.
    fn direct(&self, initrd: Option<&Path>, cmdline: &str) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments = vec!["-kernel".to_owned(), path(self.kernel)];
        arguments.extend(["-append".to_owned(), format!("{CMDLINE} {cmdline}")]);
        if let Some(initrd) = initrd {
            arguments.extend(["-initrd".to_owned(), path(initrd)]);
        }
        arguments
    }
}

/// The board, whose CPUs have EL2 or not.
pub fn board(el2: bool) -> String {
    BOARD.to_owned() + if el2 { WITH_EL2 } else { "" }
}

fn start(qemu: &Expression) -> Result<Handle> {
    let started = qemu.start();
    started.with_context(|| format!("{QEMU} (package {PACKAGE}) does not start"))
}

fn check(status: ExitStatus) -> Result<()> {
    ensure!(
        status.success(),
        "{QEMU} (package {PACKAGE}) failed with {status}"
    );
    Ok(())
}

/// For one that has not done in time what it should have.
pub fn late(limit: Duration) -> anyhow::Error {
    anyhow!("still running after {} s", limit.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(counts: bool, resets: bool) -> String {
        let machine = Machine {
            qemu: &[QEMU.into()],
            el2: true,
            threads: false,
            cpu: "max",
            memory: 256,
            cpus: 2,
            firmware: None,
            kernel: Path::new("Image"),
            initrd: Some(Path::new("initrd")),
            cmdline: "quiet",
            resets,
            counts,
            limit: Duration::from_secs(1),
        };
        let (board, boot) = machine.board(Path::new("log")).unwrap();
        format!("{:?}", machine.qemu(&board, boot, "stdio")).replace("\", \"", " ")
    }

    #[test]
    fn a_machine_is_a_line_of_options() {
        let line = machine(false, false);
        let options =
            "qemu-system-aarch64 -machine virt,gic-version=3,virtualization=on -cpu max -m 256 \
                       -smp 2 -display none -monitor none -serial stdio -net none \
                       -accel tcg,thread=single -no-reboot -kernel Image \
                       -append console=ttyAMA0 panic=-1 oops=panic quiet -initrd initrd\"";
        assert!(line.contains(options), "{line}");
        assert!(machine(true, false).contains(" -icount shift=0 -no-reboot "));
        assert!(!machine(false, true).contains("-no-reboot"));
    }
}
