// SPDX-License-Identifier: GPL-2.0

//! Other programs: where they are, and running them with a log instead of a flood of output.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use duct::Expression;
use fs_err as fs;
use rustix::event::{poll, PollFd, PollFlags};
use rustix::process::{getpid, getppid, kill_process, set_parent_process_death_signal, Signal};

use crate::base::error::fault;

/// How many of the last lines of a failed command are shown.
const TAIL: usize = 25;

/// Makes a command from strings and paths alike.
pub fn command<A: Into<OsString>>(program: &str, args: impl IntoIterator<Item = A>) -> Expression {
    duct::cmd(program, args.into_iter().map(Into::into))
        .env("LC_ALL", "C")
        .before_spawn(|command| {
            // `make` and its like end their own children then.
            die_with_us(command, Signal::TERM);
            Ok(())
        })
}

/// Has the kernel send a signal to the child when the thread that starts it goes away, however it
/// goes: nothing stays behind a tool that was interrupted.
pub fn die_with_us(command: &mut std::process::Command, signal: Signal) {
    let parent = getpid();
    let hook = move || {
        set_parent_process_death_signal(Some(signal))?;
        // The parent may have gone before the signal was asked for.
        if getppid() != Some(parent) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    };
    // SAFETY: Between fork and exec the hook makes two system calls. It does not allocate, takes
    // no lock and touches no memory but its own stack.
    unsafe { command.pre_exec(hook) };
}

/// Ends this process, and all that it has started, when its terminal is gone. make does not pass on
/// that signal where it leads the session, as behind `ssh -t`.
pub fn end_with_terminal() {
    if !io::stderr().is_terminal() {
        return;
    }
    std::thread::spawn(|| {
        let stderr = io::stderr();
        // A terminal that is gone is told without being asked for.
        let mut terminal = [PollFd::new(&stderr, PollFlags::empty())];
        while poll(&mut terminal, None).is_err() {}
        kill_process(getpid(), Signal::HUP)
    });
}

/// The program of this name on `PATH`.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Administrator tools are not on every user's PATH.
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(name))
        .find(|file| {
            file.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
        })
}

/// What a short command prints; its standard error is part of the error when it fails.
pub fn output(command: &Expression) -> Result<String> {
    let output = command
        .stdin_null() // unless the command has one already
        .unchecked()
        .stdout_capture()
        .stderr_capture()
        .run()
        .with_context(|| format!("cannot run {}", line(command)))?;
    if !output.status.success() {
        let stderr = last_lines(String::from_utf8_lossy(&output.stderr).trim(), TAIL).join("\n  ");
        let line = line(command);
        let program = line.split(' ').next().unwrap_or_default();
        bail!("{program}: {stderr} ({})", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a command that may take long. All that it prints goes to `log`, and line by line to
/// `each`; when it fails, the error shows the end of it.
pub fn logged(
    what: &str,
    command: &Expression,
    log: &Path,
    mut each: impl FnMut(&str),
) -> Result<()> {
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir)?;
    }
    let mut file = fs::File::create(log)?;
    writeln!(file, "{}", line(command))?;
    let reader = command
        .stdin_null()
        .stderr_to_stdout()
        .unchecked()
        .reader()
        .with_context(|| format!("cannot run {}", line(command)))?;
    let mut lines = BufReader::new(&reader);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        file.write_all(&line)?;
        each(String::from_utf8_lossy(&line).trim_end());
        line.clear();
    }
    let status = match reader.try_wait()? {
        Some(output) if output.status.success() => return Ok(()),
        Some(output) => output.status.to_string(),
        None => "did not end".to_owned(),
    };
    let whole = fs::read(log)?;
    let tail = last_lines(&String::from_utf8_lossy(&whole), TAIL).join("\n  ");
    Err(fault(
        format!("{what} failed ({status}):\n  {tail}"),
        format!("the whole output is in {}", log.display()),
    ))
}

pub fn last_lines(text: &str, count: usize) -> Vec<&str> {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].to_vec()
}

/// The command line in an expression, which shows itself with all of its settings around it.
fn line(command: &Expression) -> String {
    let text = format!("{command:?}");
    let (_, rest) = text.split_once("Cmd([").unwrap_or(("", &text));
    let (words, _) = rest.split_once("])").unwrap_or((rest, ""));
    words.replace("\", \"", " ").trim_matches('"').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_command_shows_its_last_lines() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log/x.log");
        let script = command("sh", ["-c", "seq 100; echo oops >&2; exit 3"]);
        let mut seen = 0;
        let error = logged("counting", &script, &log, |_| seen += 1).unwrap_err();
        let text = error.to_string();
        assert_eq!(seen, 101);
        assert!(
            text.contains("  oops") && text.contains("counting failed"),
            "{text}"
        );
        assert!(!text.contains("  5\n"), "{text}");
    }

    #[test]
    fn only_the_last_lines_of_many_are_shown() {
        let error = output(&command("sh", ["-c", "seq 30 >&2; exit 1"])).unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("sh: 6\n  7\n"), "{text}");
        assert!(text.ends_with("\n  30 (exit status: 1)"), "{text}");
    }

    #[test]
    fn a_child_ends_with_the_thread_that_started_it() {
        let child = std::thread::spawn(|| {
            let mut sleep = std::process::Command::new("sleep");
            die_with_us(sleep.arg("60"), Signal::KILL);
            sleep.spawn().unwrap()
        });
        let status = child.join().unwrap().wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        assert_eq!(signal, Some(Signal::KILL.as_raw()));
    }

    #[test]
    fn a_command_is_shown_as_its_line() {
        let command = command("make", ["-C", "dir", "A=b c"])
            .env("X", "1")
            .dir("/");
        assert_eq!(line(&command), "make -C dir A=b c");
    }

    #[test]
    fn output_of_a_failed_command_is_its_stderr() {
        let error = output(&command("sh", ["-c", "echo why >&2; exit 1"])).unwrap_err();
        let text = error.to_string();
        assert_eq!(text, "sh: why (exit status: 1)");
    }
}
