// SPDX-License-Identifier: GPL-2.0

//! `lab shell`, as a person uses it: waits for the prompt, types, and reads.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use anyhow::{bail, ensure, Context, Result};
use regex::Regex;

use crate::base::error::Help;
use crate::base::project::Project;
use crate::boot::console;
use crate::model::results::{Case, Groups};
use crate::verify::sample::commands;

/// A host that does not say anything for so long in all is ended.
const SECONDS: &str = "120";

/// A name, a CPU, further options, and what is typed.
const SESSIONS: [(&str, &str, &[&str], &str); 2] = [
    (
        "rust",
        "cortex-a76",
        &["--handlers=rust"],
        include_str!("../../data/shell/rust.txt"),
    ),
    (
        "c-with-firmware",
        "a64fx",
        &["--firmware=0,-2,-1", "--handlers=c"],
        include_str!("../../data/shell/c.txt"),
    ),
];

pub fn run(project: &Project) -> Result<Groups> {
    let cases = SESSIONS.map(|(name, cpu, options, session)| {
        let mut heard = String::new();
        let result = talk(project, cpu, options, session, &mut heard);
        Case::from_result(name, result.with_context(|| format!("heard:\n{heard}")))
    });
    Ok(vec![(String::new(), cases.into())])
}

fn talk(
    project: &Project,
    cpu: &str,
    options: &[&str],
    session: &'static str,
    heard: &mut String,
) -> Result<()> {
    let shell = Command::new("timeout")
        .args(["--kill-after=5", SECONDS])
        .arg(std::env::current_exe()?)
        .args(project.options())
        .args(["shell", "--built", "--cpu", cpu])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .help("`timeout` is of the package coreutils")?;
    let mut terminal = Terminal(shell);
    terminal.hear_until(&format!("{cpu}# "), heard)?;
    let prompt = format!("\n{cpu}# ");
    for command in commands(session) {
        let (line, says) = (command.line, &command.says);
        let start = heard.len();
        terminal.type_in(&format!("{line}\n"))?;
        terminal.hear_until(&prompt, heard)?;
        // What was typed is echoed; the answer is after it.
        let (_, answer) = heard[start..].split_once('\n').unwrap_or_default();
        ensure!(
            Regex::new(&command.pattern())?.is_match(answer),
            "`{line}` should be answered with `{says}`, not\n{answer}"
        );
    }

    // Ctrl-C ends a command, and not the host.
    terminal.type_in("sh -c 'echo begin; exec sleep 1000'\n")?;
    terminal.hear_until("\nbegin\n", heard)?;
    terminal.type_in("\x03")?;
    terminal.hear_until(&prompt, heard)?;
    terminal.type_in("exit\n")?;
    terminal.close()
}

/// A shell that is ended where this is dropped.
struct Terminal(Child);

impl Terminal {
    fn type_in(&mut self, text: &str) -> Result<()> {
        let input = self.0.stdin.as_mut().context("no way to type")?;
        Ok(input.write_all(text.as_bytes())?)
    }

    fn hear_until(&mut self, end: &str, heard: &mut String) -> Result<()> {
        let output = self.0.stdout.as_mut().context("no way to hear")?;
        let mut new = Vec::new();
        loop {
            let mut bytes = [0; 4096];
            let count = output.read(&mut bytes)?;
            if count == 0 {
                bail!("it ended before `{}`", end.trim());
            }
            new.extend(&bytes[..count]);
            let text = console::clean(&new);
            if text.ends_with(end) {
                *heard += &text;
                return Ok(());
            }
        }
    }

    /// Waits until it has ended by itself.
    fn close(&mut self) -> Result<()> {
        let output = self.0.stdout.as_mut().context("no way to hear")?;
        output.read_to_end(&mut Vec::new())?;
        let status = self.0.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to be killed after a session that ended well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
