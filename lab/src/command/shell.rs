// SPDX-License-Identifier: GPL-2.0

//! `lab shell`: a person at the terminal of a host, with the sample VMM, dumps and selftests.

use std::io::stdout;
use std::path::Path;

use anyhow::{Context, Result};
use clap::Args;
use rustix::termios::tcgetwinsize;

use crate::ask::vmm;
use crate::base::error::Help;
use crate::base::kernel::{Handlers, Kernel};
use crate::base::project::Project;
use crate::boot::job::Job;
use crate::boot::Booter;
use crate::build::{self, Built};
use crate::get::{self, kernels};
use crate::model::dump;
use crate::model::hosts::{self, FirmwareAnswers, Host};

/// The host that has most.
const DEFAULT: &str = "max";

/// In MiB: the selftests are large, and in memory twice while they are unpacked.
const MEMORY: u32 = 1024;

#[derive(Args)]
pub struct Shell {
    /// A host of lab/data/hosts.toml; the other options change it
    #[arg(long)]
    host: Option<String>,
    /// QEMU's -cpu
    #[arg(long)]
    cpu: Option<String>,
    /// What the firmware answers about WORKAROUND_1, _2 and _3, such as 0,-2,-1
    #[arg(long, allow_hyphen_values = true, value_parser = answers)]
    firmware: Option<FirmwareAnswers>,
    /// Which kernel boots: with the handlers in `rust` or in `c`
    #[arg(long, value_enum)]
    handlers: Option<Handlers>,
    /// Added to the kernel's command line
    #[arg(long, allow_hyphen_values = true)]
    cmdline: Option<String>,
    /// What has been built is booted as it is
    #[arg(long, hide = true)]
    built: bool,
}

pub fn run(project: &Project, shell: Shell) -> Result<()> {
    let is_built = shell.built;
    let host = host(project, shell)?;
    let vmm = match is_built {
        true => build::vmm(project),
        false => Built::for_check(project, get::ensure(project, &[])?)?.vmm,
    };
    kernels::ensure(project, [&host])?;
    Booter::new(project)?.interact(&host, &job(project, &vmm, &host)?)
}

fn answers(text: &str) -> Result<FirmwareAnswers, String> {
    let numbers = text
        .split(',')
        .map(str::parse)
        .collect::<Result<Vec<_>, _>>();
    match numbers.as_deref() {
        Ok(&[workaround_1, workaround_2, workaround_3]) => Ok(FirmwareAnswers {
            workaround_1,
            workaround_2,
            workaround_3,
        }),
        _ => Err("three numbers are needed, such as 0,-2,-1".to_owned()),
    }
}

/// The host that was asked for.
fn host(project: &Project, shell: Shell) -> Result<Host> {
    let mut host = match (&shell.host, &shell.cpu) {
        (None, Some(cpu)) => Host::with_cpu(cpu),
        (name, _) => {
            let hosts = hosts::load(project)?;
            let name = name.as_deref().unwrap_or(DEFAULT);
            hosts::find(&hosts, name)
                .help("see lab/data/hosts.toml, or name a CPU of QEMU's instead")?
                .clone()
        }
    };
    host.cpu = shell.cpu.unwrap_or(host.cpu);
    host.kernel = shell.handlers.map_or(host.kernel, Kernel::from);
    let words = [host.cmdline, shell.cmdline.unwrap_or_default()];
    host.cmdline = words.join(" ").trim().to_owned();
    host.firmware = shell.firmware.or(host.firmware);
    host.memory = host.memory.max(MEMORY);
    host.check().context("no such host can be")?;
    Ok(host)
}

fn job(project: &Project, vmm: &Path, host: &Host) -> Result<Job> {
    let mut job = vmm::job(vmm);
    job.program("shell", project.root().join("lab/guest/shell"));
    let selftests = project.selftests();
    for directory in ["", "arm64"] {
        for entry in fs_err::read_dir(selftests.join(directory))? {
            let path = entry?.path();
            if path.is_file() {
                let name = path.strip_prefix(&selftests)?.to_string_lossy();
                job.program(format!("selftests/{name}"), &path);
            }
        }
    }
    for dump in dump::field(project)? {
        job.file(format!("dumps/{}", dump.source), dump.stream().to_text());
    }
    job.file("etc/motd", welcome(host));
    job.file("etc/profile", profile(host));
    Ok(job)
}

fn welcome(host: &Host) -> String {
    let strict = match host.kernel.handlers() {
        Handlers::Rust => {
            "fw_regs_vmm restore -sd FILE           the same into a strict VM, and saves it\n"
        }
        Handlers::C => "",
    };
    format!(
        "\nThis is {}: {}.\nIts firmware pseudo-registers are served by the handlers in {}.\n\n\
         fw_regs_vmm dump                       what a fresh VM has here\n\
         fw_regs_vmm restore /dumps/v2-6.1.129  restores a VM from the field\n\
         {strict}\
         fw_regs_vmm dump -g /vm/calls          what its guest is told\n\
         /selftests/arm64/fw_regs_errno         one of the selftests\n\n\
         `exit` powers off; Ctrl-A x ends it at once.\n\n",
        host.name,
        host.about(),
        host.kernel.handlers().label()
    )
}

fn profile(host: &Host) -> String {
    let mut lines = vec![
        "export PATH=/bin HOME=/".to_owned(),
        format!("export PS1='{}# '", host.name),
        "cat /etc/motd".to_owned(),
    ];
    // A serial line does not know how large the terminal is.
    if let Ok(size) = tcgetwinsize(stdout()) {
        if size.ws_row > 0 && size.ws_col > 0 {
            lines.push(format!("stty rows {} cols {}", size.ws_row, size.ws_col));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Shell {
        Shell {
            host: None,
            cpu: None,
            firmware: None,
            handlers: None,
            cmdline: None,
            built: false,
        }
    }

    fn host(shell: Shell) -> Result<Host> {
        super::host(&Project::here(), shell)
    }

    #[test]
    fn a_host_is_named_made_or_changed() {
        assert_eq!(host(shell()).unwrap().name, DEFAULT);

        let cpu = Some("cortex-a76".to_owned());
        let made = host(Shell { cpu, ..shell() }).unwrap();
        assert_eq!((&*made.name, made.firmware), ("cortex-a76", None));
        assert_eq!(made.memory, MEMORY);

        let changed = host(Shell {
            host: Some("n1-off".to_owned()),
            handlers: Some(Handlers::C),
            cmdline: Some("panic=1".to_owned()),
            firmware: Some(answers("0,-2,-1").unwrap()),
            ..shell()
        });
        let changed = changed.unwrap();
        assert_eq!(changed.name, "n1-off");
        assert_eq!(changed.kernel, Handlers::C.into());
        assert_eq!(changed.cmdline, "mitigations=off panic=1");
        assert_eq!(changed.firmware.unwrap().all(), [0, -2, -1]);
    }

    #[test]
    fn what_cannot_be_is_an_error() {
        let named = Shell {
            host: Some("none".to_owned()),
            ..shell()
        };
        assert!(host(named).is_err());
        let unknown = Shell {
            firmware: Some(answers("7,0,0").unwrap()),
            ..shell()
        };
        assert!(host(unknown).is_err());
        for text in ["", "0", "0,0", "0,0,0,0", "0,x,0"] {
            assert!(answers(text).is_err(), "{text}");
        }
    }
}
