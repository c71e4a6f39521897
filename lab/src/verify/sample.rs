// SPDX-License-Identifier: GPL-2.0

//! The sample VMM: what it says on hosts is what is written in `lab/data/sample/`.

use anyhow::{ensure, Context, Result};
use regex::Regex;

use crate::ask::vmm;
use crate::base::kernel::Handlers;
use crate::boot::console::{Section, Transcript};
use crate::build::Built;
use crate::model::results::{Case, Groups};
use crate::model::{answer, discovery};
use crate::verify::boots::{cases_or_failure, Boots, Mode, Plan};

/// On a host that offers nothing, and on one that offers all.
const BOTH: &str = include_str!("../../data/sample/both.txt");
const C: &str = include_str!("../../data/sample/c.txt");
const RUST: &str = include_str!("../../data/sample/rust.txt");
const STRICT: &str = include_str!("../../data/sample/strict.txt");

/// What is done where.
const SESSIONS: [(&str, Handlers, Mode, &str); 5] = [
    ("a57", Handlers::Rust, Mode::Commands, BOTH),
    ("a57", Handlers::C, Mode::Commands, BOTH),
    ("a53", Handlers::C, Mode::Commands, C),
    ("a53", Handlers::Rust, Mode::Commands, RUST),
    ("a53", Handlers::Rust, Mode::Strict, STRICT),
];

/// How long one command may take.
const SECONDS: u64 = 60;

pub fn plan(built: &Built, plan: &mut Plan) -> Result<()> {
    for (host, handlers, mode, session) in SESSIONS {
        let job = plan.job_in(mode, host, handlers);
        job.program(vmm::PROGRAM, &built.vmm);
        job.file("sample/calls", discovery::questions());
        for (index, command) in commands(session).enumerate() {
            job.command(format!("sample:{index}"), SECONDS, command.line);
        }
    }
    Ok(())
}

pub fn judge(boots: &Boots) -> Result<Groups> {
    let groups = SESSIONS.map(|(host, handlers, mode, session)| {
        let name = match mode {
            Mode::Strict => "every-vm-strict",
            _ => handlers.name(),
        };
        let transcript = boots.transcript_in(mode, host, handlers);
        let cases = transcript.and_then(|it| cases(session, it));
        (format!("{host}/{name}"), cases_or_failure(cases))
    });
    Ok(groups.into())
}

fn cases(session: &'static str, transcript: &Transcript) -> Result<Vec<Case>> {
    let cases = commands(session).enumerate().map(|(index, command)| {
        let section = transcript.section(&format!("sample:{index}"))?;
        Ok(Case::from_result(
            command.line,
            judge_command(&command, section),
        ))
    });
    cases.collect()
}

/// A command, and what it must say.
#[derive(Debug, PartialEq, Eq)]
pub struct Exchange {
    pub line: &'static str,
    pub says: String,
    status: i32,
}

/// Reads a session as `lab/data/sample/both.txt` describes.
pub fn commands(session: &'static str) -> impl Iterator<Item = Exchange> {
    session.split("\n$ ").skip(1).map(|part| {
        let mut lines = part.lines();
        let line = lines.next().unwrap_or_default();
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (statuses, says): (Vec<&str>, Vec<&str>) = lines.partition(|it| it.starts_with('['));
        let status = statuses.first().map(|it| it.trim_matches(['[', ']']));
        Exchange {
            line,
            says: says.join("\n"),
            status: status.map_or(Ok(0), str::parse).unwrap_or(-1),
        }
    })
}

impl Exchange {
    /// The regular expression of what it must say.
    pub fn pattern(&self) -> String {
        let pattern = regex::escape(&self.says).replace(r"\.\.\.", ".*");
        format!("(?s){pattern}")
    }
}

fn judge_command(command: &Exchange, section: &Section) -> Result<()> {
    let output = section.output.trim_end();
    let said = Regex::new(&format!("^(?:{})$", command.pattern()))?.is_match(output);
    ensure!(
        said && section.status == command.status,
        "it should end with status {} and say\n{}\nbut: status {}\n{output}",
        command.status,
        command.says,
        section.status
    );
    if output.contains("\ntold ") {
        let file = output.lines().next();
        let file = file.and_then(|line| line.strip_prefix("accepted "));
        let files = [file.context("no file was accepted")?.to_owned()];
        let answer = answer::parse(&files, section.status, output)?.remove(0);
        answer.ensure_told()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::hosts;
    use crate::verify::boots::testing::transcript;

    fn judged(session: &'static str, status: i32, output: &str) -> Result<()> {
        let mut section = transcript(&[("sample:0", output)]).sections.remove(0);
        section.status = status;
        judge_command(&commands(session).next().unwrap(), &section)
    }

    #[test]
    fn commands_are_read() {
        let text = "# A comment.\n\n$ vmm restore f\nrejected\n...\n[1]\n\n# Another.\n$ true\n";
        let commands: Vec<Exchange> = commands(text).collect();
        let command = |line, says: &str, status| Exchange {
            line,
            says: says.to_owned(),
            status,
        };
        let rejected = command("vmm restore f", "rejected\n...", 1);
        assert_eq!(commands, [rejected, command("true", "", 0)]);
    }

    #[test]
    fn a_command_must_say_what_is_written() {
        judged("\n$ x\n", 0, "").unwrap();
        assert!(judged("\n$ x\n", 0, "a").is_err());
        let text = "\n$ x\na ... 0x1\nb\n";
        judged(text, 0, "a 1\n2 0x1\nb\n").unwrap();
        for (status, output) in [
            (1, "a 1 0x1\nb"),
            (0, "a 1 0x1"),
            (0, "a 1 0x1\nb\nc"),
            (0, ""),
        ] {
            assert!(judged(text, status, output).is_err(), "{output:?}");
        }
    }

    #[test]
    fn a_guest_must_be_told_what_is_saved() {
        let told = |version: &str| {
            let lines = discovery::questions();
            let lines = lines
                .lines()
                .map(|line| match line.starts_with("0x84000000") {
                    true => format!("told {line} {version} 0x0 0x0 0x0\n"),
                    false => format!("told {line} 0x0 0x0 0x0 0x0\n"),
                });
            let lines: String = lines.collect();
            format!("accepted f\n{lines}0x6030000000140000 0x10001\n")
        };
        let text = "\n$ x\naccepted f\ntold ...\n";
        judged(text, 0, &told("0x10001")).unwrap();
        assert!(judged(text, 0, &told("0x10003")).is_err());
    }

    #[test]
    fn the_sessions_of_the_project_are_valid() {
        let hosts = hosts::load(&crate::base::project::Project::here()).unwrap();
        for (host, _, _, session) in SESSIONS {
            hosts::find(&hosts, host).unwrap();
            assert!(commands(session).count() > 5);
            for command in commands(session) {
                Regex::new(&command.pattern()).unwrap();
                assert!(command.status >= 0);
            }
        }
    }
}
