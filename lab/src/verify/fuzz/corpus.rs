// SPDX-License-Identifier: GPL-2.0

//! The inputs that are kept in the repository: `lab/fuzz/corpus.txt`.

use std::path::{Path, PathBuf};

use anyhow::{ensure, Context, Result};
use fs_err as fs;

use crate::base::disk::{whole_dir, write_whole};
use crate::base::process::{command, logged};
use crate::base::progress::say;
use crate::base::project::Project;

fn file(project: &Project) -> PathBuf {
    project.root().join("lab/fuzz/corpus.txt")
}

/// Makes files of them, as libFuzzer wants to have them. Returns the directory.
pub fn unpack(project: &Project) -> Result<PathBuf> {
    let file = file(project);
    let inputs = parse(&fs::read_to_string(&file)?).with_context(|| file.display().to_string())?;
    let directory = project.out("fuzz/seeds");
    whole_dir(&directory, |part| {
        for (n, input) in inputs.iter().enumerate() {
            fs::write(part.join(format!("{n:04}")), input)?;
        }
        Ok(())
    })?;
    Ok(directory)
}

/// Writes the smallest set of inputs that reaches what those in two directories do.
pub fn keep(project: &Project, fuzzer: &str, seeds: &Path, found: &Path) -> Result<()> {
    let merged = project.out("fuzz/merged");
    whole_dir(&merged, |part| {
        // How often an edge is reached does not matter.
        let options = ["-set_cover_merge=1", "-use_counters=0"].map(Path::new);
        let args = options.into_iter().chain([part, seeds, found]);
        let log = project.log("fuzz-merge");
        logged("the merge", &command(fuzzer, args), &log, |_| ())
    })?;
    let files = fs::read_dir(&merged)?.map(|entry| Ok(fs::read(entry?.path())?));
    let inputs = files.collect::<Result<Vec<_>>>()?;
    ensure!(!inputs.is_empty(), "nothing to keep");
    let file = file(project);
    let text = text(&fs::read_to_string(&file)?, inputs);
    write_whole(&file, text.as_bytes())?;
    say(format!("wrote {}", file.display()));
    Ok(())
}

fn parse(text: &str) -> Result<Vec<Vec<u8>>> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| hex::decode(line).with_context(|| format!("`{line}`")))
        .collect()
}

/// Inputs in place of those before, below the comment.
fn text(before: &str, mut inputs: Vec<Vec<u8>>) -> String {
    inputs.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
    let comment = before.lines().filter(|line| line.starts_with('#'));
    let lines = comment.map(str::to_owned);
    let lines = lines.chain(inputs.iter().map(hex::encode));
    lines.map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_come_back_from_their_text() {
        let inputs = vec![vec![2, 255], vec![7], vec![0, 16]];
        let text = text("# Inputs.\n01\n", inputs);
        assert_eq!(text, "# Inputs.\n07\n0010\n02ff\n");
        assert_eq!(parse(&text).unwrap(), [vec![7], vec![0, 16], vec![2, 255]]);
        assert!(parse("0g").is_err());
    }
}
