// SPDX-License-Identifier: GPL-2.0

//! The sample VMM, `samples/kvm/fw_regs_vmm.c`: building it, having hosts run it, and reading what
//! it says.

pub mod answer;

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};

use crate::console::{Section, Transcript};
use crate::discovery;
use crate::job::Job;
use crate::project::Project;
use crate::registers::Id;
pub use answer::{Answer, Refusal, Why};

const COMPILER: &str = "aarch64-linux-gnu-gcc";

/// Where the program is in a host, relative to the root.
pub const PROGRAM: &str = "bin/fw_regs_vmm";

/// Where the calls are that guests make.
const CALLS: &str = "vm/calls";

/// The option by which VMs are strict.
pub const STRICT: &str = "-s";

/// The option by which a VM's guest asks its firmware.
pub const ASK: &str = "-g /vm/calls";

/// The job of a host whose VMs' guests ask their firmware.
pub fn job(program: &Path) -> Job {
    let mut job = Job::default();
    install(&mut job, program);
    job
}

/// Has the program and the guests' calls there.
pub fn install(job: &mut Job, program: &Path) {
    job.program(PROGRAM, program);
    job.file(CALLS, discovery::questions());
}

/// What the VMM is given to restore: a dump, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Names the file; one word.
    pub name: String,
    /// In the order of the writes. No value: its memory is lost.
    pub registers: Vec<(Id, Option<u64>)>,
}

impl Stream {
    /// What `fw_regs_vmm restore` reads.
    pub fn to_text(&self) -> String {
        self.registers
            .iter()
            .map(|(id, value)| format!("{id:#018x} {}\n", value_text(*value)))
            .collect()
    }
}

/// Streams that one call of the VMM restores, each into a VM of its own. None need no call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Names the command and its directory; one word.
    pub name: String,
    /// Options of `fw_regs_vmm restore`.
    pub options: String,
    pub streams: Vec<Stream>,
}

impl Batch {
    /// Has a host restore the streams.
    pub fn add_to(&self, job: &mut Job) {
        if self.streams.is_empty() {
            return;
        }
        let mut line = format!("/{PROGRAM} restore {}", self.options);
        for (stream, file) in self.streams.iter().zip(self.files()) {
            line += &format!(" {file}");
            job.file(file.trim_start_matches('/'), stream.to_text());
        }
        job.command(&self.name, 60, line);
    }

    /// What the VMM said about each stream.
    pub fn answers(&self, transcript: &Transcript) -> Result<Vec<Answer>> {
        if self.streams.is_empty() {
            return Ok(Vec::new());
        }
        let Section { status, output, .. } = transcript.section(&self.name)?;
        answer::parse(&self.files(), *status, output)
    }

    fn files(&self) -> Vec<String> {
        let path = |stream: &Stream| format!("/vm/{}/{}", self.name, stream.name);
        self.streams.iter().map(path).collect()
    }
}

/// Builds the program against the patched tree's own headers.
pub fn build(project: &Project) -> Result<PathBuf> {
    let source = project.root().join("samples/kvm/fw_regs_vmm.c");
    let program = project.out("samples/fw_regs_vmm");
    if let Some(directory) = program.parent() {
        fs_err::create_dir_all(directory)?;
    }
    let output = duct::cmd!(
        COMPILER,
        "-static",
        "-O2",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-isystem",
        project.headers(),
        "-o",
        &program,
        &source
    )
    .stderr_to_stdout()
    .stdout_capture()
    .unchecked()
    .run()
    .with_context(|| {
        format!("{COMPILER}: install the packages gcc-aarch64-linux-gnu and libc6-dev-arm64-cross")
    })?;
    ensure!(
        output.status.success(),
        "{} does not compile:\n{}",
        source.display(),
        String::from_utf8_lossy(&output.stdout)
    );
    Ok(program)
}

/// A value as the VMM reads and prints it.
fn value_text(value: Option<u64>) -> String {
    value.map_or("-".to_owned(), |value| format!("{value:#x}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_command_with_its_files() {
        let stream = |name: &str, value| Stream {
            name: name.to_owned(),
            registers: vec![(0x6030_0000_0014_0001, value)],
        };
        let batch = Batch {
            name: "moves".to_owned(),
            options: "-d".to_owned(),
            streams: vec![stream("a", Some(2)), stream("b", None)],
        };
        let mut job = Job::default();
        batch.add_to(&mut job);
        assert_eq!(
            job.commands()[0].line,
            "/bin/fw_regs_vmm restore -d /vm/moves/a /vm/moves/b"
        );
        assert_eq!(batch.streams[0].to_text(), "0x6030000000140001 0x2\n");
        assert_eq!(batch.streams[1].to_text(), "0x6030000000140001 -\n");

        let nothing = Batch {
            streams: Vec::new(),
            ..batch
        };
        nothing.add_to(&mut job);
        assert_eq!(job.commands().len(), 1);
    }
}
