// SPDX-License-Identifier: GPL-2.0

//! Pages that quote the sample VMM say what it does: their lines of C are lines of the sample.

use std::path::Path;

use anyhow::{ensure, Result};
use fs_err as fs;
use glob::glob;

/// Checks the pages of a checkout. Only white space may differ.
pub fn check(root: &Path) -> Result<()> {
    let sample = read(root, "samples/kvm/*.[ch]")?;
    let pages = read(root, "Documentation/**/*.rst")?;
    let quotes: Vec<String> = pages.iter().flat_map(|page| code(page)).collect();
    ensure!(!quotes.is_empty(), "no page quotes the sample VMM");
    for quote in quotes {
        let lines = plain(&quote);
        let known = sample.iter().any(|file| plain(file).contains(&lines));
        ensure!(
            known,
            "a page has lines that samples/kvm/ has not:\n{quote}"
        );
    }
    Ok(())
}

fn read(root: &Path, files: &str) -> Result<Vec<String>> {
    let files = glob(&root.join(files).to_string_lossy())?;
    files.map(|file| Ok(fs::read_to_string(file?)?)).collect()
}

/// The literal blocks of a page that have a statement of C.
fn code(page: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut blocks = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.ends_with("::") {
            continue;
        }
        // The text before it can be indented, too, as an item of a list is.
        let outside = indent(line.trim_start_matches(|c: char| c.is_numeric() || c == '.'));
        let is_inside = |line: &&str| line.trim().is_empty() || indent(line) > outside;
        let mut block = String::new();
        while let Some(line) = lines.next_if(is_inside) {
            block += &format!("{line}\n");
        }
        if block.lines().any(|line| line.ends_with(';')) {
            blocks.push(block);
        }
    }
    blocks
}

/// The lines, each without its indentation and with single spaces, between newlines.
fn plain(text: &str) -> String {
    let words = |line: &str| Vec::from_iter(line.split_whitespace()).join(" ");
    let lines = text.trim().lines().map(words);
    format!("\n{}\n", Vec::from_iter(lines).join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "static int f(void)\n{\n\tint a = 1;\n\n\treturn a;\n}\n";

    fn checked(page: &str) -> Result<()> {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [("samples/kvm/a.c", SAMPLE), ("Documentation/x/a.rst", page)] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        check(root.path())
    }

    #[test]
    fn a_page_has_the_lines_of_the_sample() {
        let good = "A page\n======\n\nSo::\n\n  int a = 1;\n\n  return a;\n\nAnd::\n\n  # ls\n";
        checked(good).unwrap();
        for (from, to) in [
            ("int a = 1;\n\n  return a;", "return a;"),
            ("So::\n\n", "1. So::\n\n   "),
            ("  # ls", "  int a = 1;"),
        ] {
            checked(&good.replace(from, to)).unwrap();
        }
        for (from, to) in [
            ("= 1;", "= 2;"),
            ("\n\n  return", "\n  return"),
            ("a = 1;", "= 1;"),
            ("  return a;", "  return a"),
            ("  # ls", "  x;"),
            ("So::", "So:"),
        ] {
            assert!(checked(&good.replace(from, to)).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn our_page_quotes_the_sample() {
        let root = crate::base::project::Project::here().root().to_owned();
        check(&root).unwrap();
        let pages = read(&root, "Documentation/**/*.rst").unwrap();
        let quotes: usize = pages.iter().map(|page| code(page).len()).sum();
        assert_eq!(quotes, 2);
    }
}
