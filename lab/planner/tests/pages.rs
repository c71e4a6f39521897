// SPDX-License-Identifier: GPL-2.0

//! What the pages show is what is printed: each command in them is run in a copy of `lab/testdata`.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_fw-regs-plan");

/// A command, with the lines that it prints.
struct Exchange<'a> {
    line: &'a str,
    says: Vec<&'a str>,
}

/// The commands of a page: indented blocks with lines that begin with `$`.
fn exchanges(page: &str) -> Vec<Exchange<'_>> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let mut in_block = false;
    for line in page.lines() {
        let Some(line) = line.strip_prefix("    ") else {
            // Commands print empty lines, too.
            in_block = in_block && line.is_empty();
            if let (true, Some(last)) = (in_block, exchanges.last_mut()) {
                last.says.push("");
            }
            continue;
        };
        if let Some(line) = line.strip_prefix("$ ") {
            in_block = true;
            let says = Vec::new();
            exchanges.push(Exchange { line, says });
        } else if let (true, Some(last)) = (in_block, exchanges.last_mut()) {
            last.says.push(line);
        }
    }
    exchanges
}

/// What a shell prints that does them one after the other, each with its status where it is not 0.
fn compare(page: &str) -> usize {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let dir = tempfile::tempdir().unwrap();
    copy(&lab.join("testdata"), dir.path());
    let programs = Path::new(PROGRAM).parent().unwrap();
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap());

    let text = fs_err::read_to_string(lab.join("planner").join(page)).unwrap();
    let exchanges = exchanges(&text);
    for Exchange { line, says } in &exchanges {
        if line.starts_with("cd ") {
            continue;
        }
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {line}\n}} 2>&1 || echo \"[$?]\"")])
            .current_dir(dir.path())
            .env("PATH", &path)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let said: Vec<&str> = said.trim_end().lines().map(str::trim_end).collect();
        let says = says.join("\n");
        assert_eq!(said.join("\n"), says.trim_end(), "{page}: {line}");
    }
    exchanges.len()
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    for entry in fs_err::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => _ = fs_err::copy(&path, &to).unwrap(),
        }
    }
}

#[test]
fn the_overview_shows_what_is_printed() {
    assert!(compare("README.md") > 1);
}

#[test]
fn the_tasks_show_what_is_printed() {
    assert!(compare("TASKS.md") > 10);
}
