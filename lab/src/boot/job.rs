// SPDX-License-Identifier: GPL-2.0

//! What a host is to do once it has booted: commands for `lab/guest/init` to run, with their
//! programs and files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{ensure, Result};

use crate::base::project::Project;
use crate::boot::initramfs::{Archive, DIRECTORY, FILE, PROGRAM};

/// One line for the shell of the host.
#[derive(Debug, Clone)]
pub struct Command {
    /// Names the output; unique within a job, one word.
    pub name: String,
    /// How long the host lets it run, in seconds.
    pub limit: u64,
    pub line: String,
}

/// The commands of one boot, in order.
#[derive(Debug, Clone, Default)]
pub struct Job {
    commands: Vec<Command>,
    files: Vec<(String, String)>,
    programs: BTreeMap<String, PathBuf>,
}

impl Job {
    pub fn command(&mut self, name: impl Into<String>, limit: u64, line: impl Into<String>) {
        self.commands.push(Command {
            name: name.into(),
            limit,
            line: line.into(),
        });
    }

    /// A file for the commands, at `/name`.
    pub fn file(&mut self, name: impl Into<String>, content: impl Into<String>) {
        self.files.push((name.into(), content.into()));
    }

    /// A program for the commands, at `/name`. Saying so twice does no harm.
    pub fn program(&mut self, name: impl Into<String>, from: impl Into<PathBuf>) {
        self.programs.insert(name.into(), from.into());
    }

    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The archive that hands the job to `init`.
    pub fn archive(&self) -> Result<Vec<u8>> {
        let mut archive = Archive::default();
        for (name, from) in &self.programs {
            archive.add(name, PROGRAM, fs_err::read(from)?);
        }
        for (name, content) in &self.files {
            archive.add(name, FILE, &**content);
        }
        archive.add("job", FILE, self.lines()?);
        archive.finish()
    }

    fn lines(&self) -> Result<String> {
        let mut names = BTreeSet::new();
        let mut lines = String::new();
        for Command { name, limit, line } in &self.commands {
            ensure!(
                !name.is_empty() && !name.contains(char::is_whitespace),
                "`{name}`: a command's name is one word"
            );
            ensure!(names.insert(name), "two commands named `{name}`");
            ensure!(
                !line.trim().is_empty() && !line.contains('\n'),
                "`{name}`: a command is one line"
            );
            lines += &format!("{name} {limit} {line}\n");
        }
        Ok(lines)
    }
}

/// The archive that all boots share: busybox and `init`.
pub fn base_archive(project: &Project) -> Result<Vec<u8>> {
    archive_with(project, &[("init", "init"), ("common", "common")])
}

/// The same for a test engine: a shell, and what does the job there.
pub fn engine_archive(project: &Project) -> Result<Vec<u8>> {
    let scripts = [("init", "engine"), ("common", "common"), ("run", "run")];
    archive_with(project, &scripts)
}

/// Busybox, and scripts of `lab/guest` by what they are named on the host.
fn archive_with(project: &Project, scripts: &[(&str, &str)]) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for directory in ["dev", "proc", "sys", "tmp"] {
        archive.add(directory, DIRECTORY, "");
    }
    archive.add("bin/busybox", PROGRAM, fs_err::read(project.busybox())?);
    for (name, script) in scripts {
        let script = project.root().join("lab/guest").join(script);
        archive.add(name, PROGRAM, fs_err::read(script)?);
    }
    archive.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(commands: &[(&str, &str)]) -> Job {
        let mut job = Job::default();
        for (name, line) in commands {
            job.command(*name, 5, *line);
        }
        job
    }

    #[test]
    fn lines_are_name_limit_command() {
        let lines = job(&[("a", "echo a"), ("b", "echo b | cat")]).lines();
        assert_eq!(lines.unwrap(), "a 5 echo a\nb 5 echo b | cat\n");
    }

    #[test]
    fn what_init_would_misread_is_refused() {
        for commands in [
            [("a", "true"), ("a", "true")],
            [("a", "true"), ("b c", "true")],
            [("a", "true"), ("", "true")],
            [("a", "true"), ("b", "true\nfalse")],
            [("a", "true"), ("b", " ")],
        ] {
            assert!(job(&commands).lines().is_err(), "{commands:?}");
        }
    }
}
