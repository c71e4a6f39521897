// SPDX-License-Identifier: GPL-2.0

//! A host that is up: it has done a job, and waits for the next.
//!
//! The first job comes with the initrd. Each other one is typed on the console: an archive in
//! pieces, each after a line with its length, and each when the host says that it is ready. A
//! length of 0 ends the archive. With no archive before it, it has the host power off.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail, ensure, Result};

use super::log::Log;
use crate::boot::console::{self, Transcript};
use crate::boot::job::Job;
use crate::boot::qemu::{self, Running};

/// What a kernel with the Rust handlers says when it boots.
const SERVED_BY_RUST: &str = "firmware pseudo-registers served by Rust";

/// What a host says when it takes something.
const READY: &str = "\n@lab ready";

/// A tty holds as much while nobody reads from it.
const PIECE: usize = 4000;

/// How often the console is looked at.
const PERIOD: Duration = Duration::from_millis(1);

/// It is ended where this is dropped.
pub struct Up {
    pub name: String,
    /// Whether its kernel should say that Rust serves the pseudo-registers.
    pub says_rust: bool,
    /// How long each job may take, and to power off.
    pub limit: Duration,
    pub machine: Running,
    pub log: Log,
    /// QEMU reads it some time after it has started.
    pub _initrd: File,
}

impl Up {
    /// Waits until it has booted and done its first job. Here and below, it is gone after an error.
    pub fn booted(&mut self, job: &Job) -> Result<Transcript> {
        let result = self.transcript(job);
        result.map_err(|error| self.lost(error))
    }

    /// Has it do another job.
    pub fn go_on(&mut self, job: &Job) -> Result<Transcript> {
        let result = self.send(job).and_then(|()| self.transcript(job));
        result.map_err(|error| self.lost(error))
    }

    /// Has it power off, and waits until it has.
    pub fn end(mut self) -> Result<()> {
        self.power_off().map_err(|error| self.lost(error))
    }

    fn send(&mut self, job: &Job) -> Result<()> {
        for piece in job.archive()?.chunks(PIECE) {
            writeln!(self.machine.console, "{}", piece.len())?;
            self.machine.console.write_all(piece)?;
            self.ready()?;
        }
        Ok(writeln!(self.machine.console, "0")?)
    }

    fn transcript(&mut self, job: &Job) -> Result<Transcript> {
        let transcript = console::parse(&self.ready()?, job)?;
        check_served(self.says_rust, &transcript.served)?;
        Ok(transcript)
    }

    fn power_off(&mut self) -> Result<()> {
        writeln!(self.machine.console, "0")?;
        let ended = self.machine.wait(self.limit);
        self.not_complaining(ended)
    }

    /// Waits until it takes something. Returns what it said before.
    fn ready(&mut self) -> Result<String> {
        let deadline = Instant::now() + self.limit;
        loop {
            // What it said before it ended is there when that is known.
            let ended = self.machine.ended();
            if let Some(said) = self.log.take(READY)? {
                return Ok(said);
            }
            let problem = match ended {
                Ok(false) if Instant::now() < deadline => {
                    thread::sleep(PERIOD);
                    continue;
                }
                Ok(false) => qemu::late(self.limit),
                Ok(true) => anyhow!("the host ended before it should"),
                Err(error) => error,
            };
            self.not_complaining(Err(problem))?;
        }
    }

    /// Why a machine did not end well is better told by its kernel.
    fn not_complaining(&mut self, result: Result<()>) -> Result<()> {
        match (console::complaint(&self.log.take_rest()?), result) {
            (None, result) => result,
            (Some(complaint), Ok(())) => bail!(complaint),
            (Some(complaint), Err(error)) => Err(error.context(complaint)),
        }
    }

    /// Ends it, and shows the end of its console.
    fn lost(&self, error: anyhow::Error) -> anyhow::Error {
        let text = self.machine.end().and_then(|()| self.log.clean());
        let tail = console::tail(&text.unwrap_or_else(|error| format!("{error:#}")));
        let (name, log) = (&self.name, self.log.path.display());
        let tail = tail.trim_end();
        anyhow!("{name}: {error:#}\n  its console, {log}, ends with\n{tail}")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // There is nobody to tell of an error.
        let _ = self.machine.end().and_then(|()| self.log.clean());
    }
}

/// Whether the kernel is the one that was meant.
fn check_served(says_rust: bool, served: &str) -> Result<()> {
    ensure!(
        served.contains(SERVED_BY_RUST) == says_rust,
        "the kernel says \"{served}\", and should{} say \"{SERVED_BY_RUST}\"",
        if says_rust { "" } else { " not" }
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// Does what `lab/guest/init` does with jobs of one command, and shows what comes after the first.
    const HOST: &str = r#"
        mark() { printf '\n@lab %s\n' "$*"; }
        run() { mark served; mark begin a; echo "$1"; mark end a 0; mark done 1 0; mark ready; }
        run first
        while read -r length && [ "$length" -gt 0 ]; do
            head -c "$length" >"$0"
            while mark ready && read -r length && [ "$length" -gt 0 ]; do head -c "$length" >>"$0"; done
            run "$(grep -ao 'content of [a-z]*' "$0")"
        done
        echo down
    "#;

    fn job() -> Job {
        let mut job = Job::default();
        job.command("a", 5, "true");
        job
    }

    fn up(dir: &Path, script: &str, seconds: u64) -> Up {
        let log = dir.join("log");
        let host = duct::cmd("sh", ["-c", script, &dir.join("job").to_string_lossy()]);
        Up {
            name: "host a53".to_owned(),
            says_rust: false,
            limit: Duration::from_secs(seconds),
            machine: Running::start(&host.unchecked(), &log).unwrap(),
            log: Log::open(&log).unwrap(),
            _initrd: tempfile::tempfile().unwrap(),
        }
    }

    #[test]
    fn a_host_does_one_job_after_the_other() {
        let dir = tempfile::tempdir().unwrap();
        let mut up = up(dir.path(), HOST, 60);
        assert_eq!(up.booted(&job()).unwrap().sections[0].output, "first\n");
        for name in ["one", "two"] {
            let mut job = job();
            // More than one piece.
            job.file("file", "x".repeat(2 * PIECE) + "content of " + name);
            let said = up.go_on(&job).unwrap();
            assert_eq!(said.sections[0].output, format!("content of {name}\n"));
        }
        up.end().unwrap();
        let log = fs_err::read_to_string(dir.path().join("log")).unwrap();
        assert!(log.ends_with("down\n"), "{log}");
    }

    #[test]
    fn a_host_that_is_lost_is_told_with_its_console() {
        let cases = [
            ("echo hello; exec sleep 60", "still running after 2 s"),
            ("echo hello", "the host ended before it should"),
            ("echo hello; exit 3", "failed with exit status: 3"),
            (
                "echo 'BUG: x'; echo hello; exit 3",
                "complained: BUG: x: qemu",
            ),
            (
                "printf 'hello\n@lab ready\n'; exec sleep 60",
                "`ready` where `served` should be",
            ),
        ];
        for (script, message) in cases {
            let dir = tempfile::tempdir().unwrap();
            let mut up = up(dir.path(), script, 2);
            let error = up.booted(&job()).unwrap_err().to_string();
            assert!(error.starts_with("host a53: "), "{error}");
            assert!(error.contains(message), "{script}: {error}");
            assert!(error.contains("log, ends with\n    | "), "{error}");
            assert!(error.contains("| hello"), "{error}");
            assert!(
                up.machine.ended().is_err() || script.ends_with("hello"),
                "it is left running"
            );
        }
    }

    #[test]
    fn a_host_that_goes_on_is_no_host_that_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut up = up(dir.path(), &HOST.replace("echo down", "exec sleep 60"), 2);
        up.booted(&job()).unwrap();
        let error = up.end().unwrap_err().to_string();
        assert!(error.contains("still running after"), "{error}");
    }

    #[test]
    fn the_kernel_must_be_the_one_meant() {
        let line = "[    0.1] kvm [1]: firmware pseudo-registers served by Rust";
        assert!(check_served(true, line).is_ok());
        assert!(check_served(false, "").is_ok());
        assert!(check_served(true, "").is_err());
        assert!(check_served(false, line).is_err());
    }
}
