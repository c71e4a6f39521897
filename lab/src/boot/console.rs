// SPDX-License-Identifier: GPL-2.0

//! What a host wrote on its console, and what that says about the boot.
//!
//! `lab/guest/init` sets marker lines around each command's output:
//!
//! ```text
//! @lab served <the kernel's line about the handlers, or nothing>
//! @lab begin <name>
//! @lab end <name> <exit status>
//! @lab done <number of commands> <tainted>
//! ```
//!
//! Everything is suspect until the last marker has come: a boot that ended early, that lost a
//! marker or that complained is an error, never a shorter list of results.

use std::sync::LazyLock;

use anyhow::{bail, ensure, Context, Result};
use regex::Regex;

use crate::boot::job::{Command, Job};

/// The kernel's taint flag for "an in-kernel test has run" (`TAINT_TEST`), no reason to worry.
const TAINT_TEST: u64 = 1 << 18;

/// What Linux 7.2 complains of on a host like QEMU's A64FX, whose cache lines are longer than those
/// that DMA was built for, and the flag (`TAINT_CPU_OUT_OF_SPEC`). Linux 7.3 sees that no cache needs
/// maintenance there.
const OUT_OF_SPEC: &str = " at arch_setup_dma_ops+";
const TAINT_OUT_OF_SPEC: u64 = 1 << 2;

/// What it says when the first protected VM is made, and the flag (`TAINT_USER`).
const PROTECTED_VMS: &str = "kvm: protected VMs are experimental and for development only";
const TAINT_PROTECTED_VMS: u64 = 1 << 6;

const MARKER: &str = "\n@lab ";

/// The kernel's complaints, those of its sanitizers and of lockdep among them, and the firmware's.
/// Not anchored: they may interrupt a program's line.
static COMPLAINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"Kernel panic - not syncing|Internal error: |Unable to handle |kernel BUG at ",
        r"|\bBUG: |WARNING: .*(?:CPU: ?\d|CPU#\d)|rcu: INFO: .*detected|blocked for more than",
        r"|UBSAN: |unreferenced object 0x|WARNING: (?:possible|inconsistent|suspicious) ",
        r"|WARNING: (?:bad unlock balance|held lock freed|lock held|Nested lock)",
        r"|EL3 firmware: ",
    ))
    .expect("a valid pattern")
});

/// One command's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub status: i32,
    pub output: String,
}

/// The console of a host that did all it was told to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// What the kernel wrote until `init` took over.
    pub kernel: String,
    /// The kernel's line about who serves the pseudo-registers, or nothing.
    pub served: String,
    pub sections: Vec<Section>,
}

impl Transcript {
    pub fn section(&self, name: &str) -> Result<&Section> {
        let section = self.sections.iter().find(|section| section.name == name);
        section.with_context(|| format!("no command `{name}` was run"))
    }
}

/// Console bytes as text: without carriage returns and terminal escapes.
pub fn clean(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = anstream::adapter::strip_str(&text).to_string();
    text.replace('\r', "")
}

/// The first complaint, and the command in whose output it is.
pub fn complaint(text: &str) -> Option<String> {
    let found = COMPLAINT.find_iter(text).find_map(|found| {
        let line = text[found.start()..].lines().next()?;
        (!line.contains(OUT_OF_SPEC)).then_some((found.start(), line))
    });
    let (start, line) = found?;
    let (_, marker) = text[..start].rsplit_once(MARKER).unwrap_or_default();
    let marker = marker.lines().next().unwrap_or_default();
    let command = marker.strip_prefix("begin ");
    let place = command.map_or(String::new(), |command| format!(" in `{command}`"));
    Some(format!("the host complained{place}: {line}"))
}

/// The last lines, for an error message.
pub fn tail(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let lines: Vec<String> = lines.map(|line| format!("    | {line}\n")).collect();
    lines[lines.len().saturating_sub(20)..].concat()
}

/// Splits the console of a boot whose job nobody here knows.
pub fn whole(text: &str) -> Result<Transcript> {
    let mut job = Job::default();
    let parts = text
        .split(MARKER)
        .filter_map(|part| part.strip_prefix("begin "));
    for name in parts.filter_map(|part| part.lines().next()) {
        if name != "dmesg" {
            job.command(name, 0, "true");
        }
    }
    parse(text, &job)
}

/// Splits the console of a boot by command. Complaints of the kernel, and anything but all markers
/// of `job` in their order, are errors.
pub fn parse(text: &str, job: &Job) -> Result<Transcript> {
    if let Some(complaint) = complaint(text) {
        bail!(complaint);
    }

    let mut parts = text.split(MARKER).peekable();
    let kernel = parts.next().unwrap_or_default().to_owned();
    let (served, _) = expect(&mut parts, "served")?;

    let mut sections = Vec::new();
    for Command { name, .. } in job.commands() {
        let (_, output) = expect(&mut parts, &format!("begin {name}"))?;
        let (status, _) = expect(&mut parts, &format!("end {name}"))?;
        let status = status.trim().parse();
        sections.push(Section {
            name: name.clone(),
            status: status.with_context(|| format!("no exit status after `{name}`"))?,
            output: output.to_owned(),
        });
    }

    // A tainted host shows its log before its last words.
    let is_log = |part: &&str| part.lines().next() == Some("begin dmesg");
    if parts.next_if(is_log).is_some() {
        expect(&mut parts, "end dmesg")?;
    }
    let (last, _) = expect(&mut parts, "done")?;
    let (done, tainted) = last
        .trim()
        .split_once(' ')
        .with_context(|| format!("the last marker is `{last}`"))?;
    let tainted: u64 = tainted.parse().context("the last marker has no taint")?;
    let count = job.commands().len();
    ensure!(done == count.to_string(), "{done} of {count} commands ran");
    let reasons = [
        (OUT_OF_SPEC, TAINT_OUT_OF_SPEC),
        (PROTECTED_VMS, TAINT_PROTECTED_VMS),
    ];
    let known = reasons.into_iter().filter(|(line, _)| text.contains(line));
    let known = known.fold(TAINT_TEST, |known, (_, flag)| known | flag);
    ensure!(tainted & !known == 0, "the kernel is tainted: {tainted:#x}");

    Ok(Transcript {
        kernel,
        served: served.trim().to_owned(),
        sections,
    })
}

/// Takes the next marker, which must be the one meant. Returns the rest of its line and what
/// follows it.
fn expect<'a>(
    parts: &mut impl Iterator<Item = &'a str>,
    wanted: &str,
) -> Result<(&'a str, &'a str)> {
    let part = parts
        .next()
        .with_context(|| format!("the host ended before `{wanted}`"))?;
    let (line, output) = part.split_once('\n').unwrap_or((part, ""));
    match line.strip_prefix(wanted) {
        Some(rest) if rest.is_empty() || rest.starts_with(' ') => Ok((rest, output)),
        _ => bail!("the console has `{line}` where `{wanted}` should be"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "kernel\n\n@lab served by Rust\n\n@lab begin a\nx\ny\n@lab end a 0\n\n\
                        @lab begin b\n\n@lab end b 3\n\n@lab done 2 0\nreboot: Power down\n";

    fn job() -> Job {
        let mut job = Job::default();
        job.command("a", 5, "true");
        job.command("b", 5, "true");
        job
    }

    #[test]
    fn output_is_split_by_command() {
        let transcript = parse(GOOD, &job()).unwrap();
        assert_eq!(transcript.kernel, "kernel\n");
        assert_eq!(transcript.served, "by Rust");
        assert_eq!(transcript.section("a").unwrap().output, "x\ny");
        assert_eq!(transcript.section("b").unwrap().output, "");
        assert_eq!(transcript.section("b").unwrap().status, 3);
        assert!(transcript.section("c").is_err());
    }

    #[test]
    fn a_console_that_is_not_whole_is_an_error() {
        let cases = [
            ("done 2 0", "Done 2 0", "where `done` should be"),
            ("\n@lab done 2 0\n", "\n", "ended before `done`"),
            ("done 2 0", "done 1 0", "1 of 2 commands ran"),
            ("done 2 0", "done 2 512", "tainted: 0x200"),
            ("done 2 0", "done 2 64", "tainted: 0x40"),
            ("done 2 0", "done 2 x", "no taint"),
            ("done 2 0", "done", "the last marker is"),
            ("begin a", "begin aa", "where `begin a` should be"),
            ("end a 0", "end b 0", "where `end a` should be"),
            ("end a 0", "end a x", "no exit status after `a`"),
            ("\n@lab end a 0\n", "\n", "where `end a` should be"),
            ("y\n", "BUG: sleeping\n", "complained in `a`: BUG: sleeping"),
        ];
        for (old, new, message) in cases {
            let text = GOOD.replacen(old, new, 1);
            assert_ne!(text, GOOD, "{old:?}");
            let error = format!("{:#}", parse(&text, &job()).unwrap_err());
            assert!(error.contains(message), "{old:?} -> {new:?}: {error}");
        }
    }

    #[test]
    fn a_kernel_that_ran_kunit_is_not_blamed_for_it() {
        let log = "\n@lab begin dmesg\nlog\n@lab end dmesg 0\n";
        let text = GOOD.replace("\n@lab done 2 0\n", &format!("{log}\n@lab done 2 262144\n"));
        assert!(parse(&text, &job()).is_ok());
    }

    #[test]
    fn a_cpu_out_of_spec_is_not_our_business() {
        let said = "WARNING: a.c:49 at arch_setup_dma_ops+0x84/0xe8, CPU#0: swapper/0/1\n";
        let text = said.to_owned() + &GOOD.replace("done 2 0", "done 2 4");
        assert!(parse(&text, &job()).is_ok());
        assert!(parse(&GOOD.replace("done 2 0", "done 2 4"), &job()).is_err());
        assert!(parse(&(text.clone() + "\nBUG: sleeping\n"), &job()).is_err());
        assert!(parse(&text.replace("done 2 4", "done 2 516"), &job()).is_err());
    }

    #[test]
    fn protected_vms_taint() {
        let log = format!("\n@lab begin dmesg\n{PROTECTED_VMS}\n@lab end dmesg 0\n");
        let text = GOOD.replace("\n@lab done 2 0\n", &format!("{log}\n@lab done 2 64\n"));
        assert!(parse(&text, &job()).is_ok());
        assert!(parse(&text.replace("done 2 64", "done 2 576"), &job()).is_err());
    }

    #[test]
    fn complaints_are_found_and_talk_is_not() {
        let complaints = [
            "Kernel panic - not syncing: Attempted to kill init!",
            "[    1.0] Internal error: Oops: 0000000096000004 [#1]  SMP",
            "echo helUnable to handle kernel NULL pointer dereference",
            "WARNING: CPU: 0 PID: 1 at kernel/fork.c:1",
            "WARNING: arch/arm64/kvm/arm.c:12 at foo+0x1/0x2, CPU#1: init/1",
            "rcu: INFO: rcu_sched self-detected stall on CPU",
            "EL3 firmware: unexpected exception",
            "UBSAN: array-index-out-of-bounds in a.c:1:2",
            "unreferenced object 0xffff0000c0000000 (size 128):",
            "WARNING: possible circular locking dependency detected",
        ];
        for line in complaints {
            assert!(
                complaint(&format!("before\n{line}\nafter")).is_some(),
                "{line}"
            );
        }
        for line in ["WARNING: not a test", "# DEBUG: x", "ok 1 oops"] {
            assert_eq!(complaint(line), None);
        }
    }

    #[test]
    fn escapes_and_carriage_returns_are_removed() {
        assert_eq!(
            clean(b"\x1b[2J\x1b[1;32mok\x1b[0m\t1\r\n\xff"),
            "ok\t1\n\u{fffd}"
        );
    }
}
