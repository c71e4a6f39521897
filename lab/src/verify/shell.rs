// SPDX-License-Identifier: GPL-2.0

//! `lab shell`, as a person uses it: waits for the prompt, types, and reads.

use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{bail, ensure, Context, Result};

use crate::base::error::Help;
use crate::base::project::Project;
use crate::boot::console;
use crate::model::results::Case;
use crate::model::results::Groups;

/// A host that does not say anything for so long in all is ended.
const SECONDS: &str = "120";

/// What is typed, and what must be said then.
type Line = (&'static str, &'static str);

struct Session {
    name: &'static str,
    arguments: &'static [&'static str],
    prompt: &'static str,
    lines: &'static [Line],
}

const SESSIONS: [Session; 2] = [
    Session {
        name: "rust",
        arguments: &["--cpu", "cortex-a76", "--handlers", "rust"],
        prompt: "cortex-a76# ",
        lines: &[
            ("dmesg | grep -c 'served by Rust'", "1"),
            ("fw_regs_vmm dump | head -n 1", "0x6030000000140000 0x10003"),
            (
                "fw_regs_vmm restore /dumps/v2-6.1.129",
                "rejected /dumps/v2-6.1.129 1",
            ),
            (
                "/selftests/arm64/fw_regs_cap | grep Totals",
                "fail:0 xfail:0",
            ),
            ("fw_regs_vmm dump -s | wc -l", "8"),
            ("tty", "/dev/ttyAMA0"),
        ],
    },
    Session {
        name: "c-with-firmware",
        arguments: &["--cpu=a64fx", "--firmware=0,-2,-1", "--handlers=c"],
        prompt: "a64fx# ",
        lines: &[
            ("dmesg | grep -c 'served by Rust'", "0"),
            ("fw_regs_vmm dump | sed -n 2p", "0x6030000000140001 0x1"),
            ("fw_regs_vmm dump | sed -n 3p", "0x6030000000140002 0x3"),
            ("fw_regs_vmm dump -s", "this kernel has no strict VMs"),
        ],
    },
];

pub fn run(project: &Project) -> Result<Groups> {
    let cases = SESSIONS.iter().map(|session| {
        let mut heard = String::new();
        let result = talk(project, session, &mut heard).with_context(|| format!("heard:\n{heard}"));
        Case::from_result(session.name, result)
    });
    Ok(vec![(String::new(), cases.collect())])
}

fn talk(project: &Project, session: &Session, heard: &mut String) -> Result<()> {
    let mut terminal = Terminal::open(project, session.arguments)?;
    terminal.hear_until(session.prompt, heard)?;
    for (line, expected) in session.lines {
        let start = heard.len();
        terminal.type_in(&format!("{line}\n"))?;
        terminal.hear_until(&format!("\n{}", session.prompt), heard)?;
        // What was typed is echoed; the answer is after it.
        let answer = heard[start..].split_once('\n');
        let answer = answer.map_or("", |(_, answer)| answer);
        ensure!(
            answer.contains(expected),
            "`{line}` should be answered with `{expected}`, not\n{answer}"
        );
    }

    // Ctrl-C ends a command, and not the host.
    terminal.type_in("sh -c 'echo begin; exec sleep 1000'\n")?;
    terminal.hear_until("\nbegin\n", heard)?;
    terminal.type_in("\x03")?;
    terminal.hear_until(&format!("\n{}", session.prompt), heard)?;
    terminal.type_in("exit\n")?;
    terminal.close()
}

struct Terminal {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Terminal {
    fn open(project: &Project, arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new("timeout")
            .args(["--kill-after=5", SECONDS])
            .arg(std::env::current_exe()?)
            .args(project.options())
            .arg("shell")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .help("`timeout` is of the package coreutils")?;
        let input = child.stdin.take().context("no way to type")?;
        let output = child.stdout.take().context("no way to hear")?;
        Ok(Self {
            child,
            input,
            output,
        })
    }

    fn type_in(&mut self, text: &str) -> Result<()> {
        self.input.write_all(text.as_bytes())?;
        Ok(self.input.flush()?)
    }

    fn hear_until(&mut self, end: &str, heard: &mut String) -> Result<()> {
        let mut new = Vec::new();
        loop {
            let mut bytes = [0; 4096];
            let count = self.output.read(&mut bytes)?;
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
    fn close(mut self) -> Result<()> {
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest)?;
        let status = self.child.wait()?;
        ensure!(status.success(), "it ended with {status}");
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Nothing is left to be killed after a session that ended well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
