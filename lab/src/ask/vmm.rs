// SPDX-License-Identifier: GPL-2.0

//! The sample VMM, `samples/kvm/fw_regs_vmm.c`: having hosts run it, and reading what it says.

use std::path::Path;

use anyhow::Result;

use crate::boot::console::{Section, Transcript};
use crate::boot::job::Job;
use crate::model::answer::{self, Answer};
use crate::model::discovery;
use crate::model::stream::Stream;

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

pub fn install(job: &mut Job, program: &Path) {
    job.program(PROGRAM, program);
    job.file(CALLS, discovery::questions());
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
        let names = self.streams.iter().map(|stream| &stream.name);
        names
            .map(|name| format!("/vm/{}/{name}", self.name))
            .collect()
    }
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
