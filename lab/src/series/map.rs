// SPDX-License-Identifier: GPL-2.0

//! The review map, `lab/series/map.toml`: for each branch of the C handlers the Rust line that
//! takes its place and the test that pins it.
//!
//! The branches are found in the kernel's source, the lines and tests in ours. So a map that does
//! not fit any more is an error, and a map that does tells the places as they are.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{bail, ensure, Context, Result};
use fs_err as fs;
use serde::Deserialize;
use tree_sitter::{Node, Parser};

use crate::project::Project;
use crate::tree::cdefs;

/// Where the C handlers are, before they get a file of their own.
pub const C_FILE: &str = "arch/arm64/kvm/hypercalls.c";

const RUST: &str = "rust/fw_regs";
const TESTS: &str = "selftests/kvm/arm64";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    #[serde(rename = "function")]
    functions: Vec<Function>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {
    name: String,
    /// In the order of the source.
    branches: Vec<Branch>,
}

/// Kind, Rust file, the line there, test program, a text there.
type Branch = (Kind, String, String, String, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    If,
    /// With `default`.
    Case,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::If => "if",
            Self::Case => "case",
        }
    }
}

/// The map as text, for the C source that is given.
pub fn text(project: &Project, c_source: &str) -> Result<String> {
    let file = project.root().join("lab/series/map.toml");
    let map: Map = toml::from_str(&fs::read_to_string(&file)?)
        .with_context(|| format!("cannot read {}", file.display()))?;
    let text = map.text(c_source, project.root());
    text.with_context(|| format!("{} does not fit any more", file.display()))
}

impl Map {
    fn text(&self, c_source: &str, root: &Path) -> Result<String> {
        let mut text = String::new();
        for Function { name, branches } in &self.functions {
            let found = find(c_source, name)?;
            let kinds: Vec<Kind> = branches.iter().map(|branch| branch.0).collect();
            let kinds_found: Vec<Kind> = found.iter().map(|(kind, _)| *kind).collect();
            ensure!(
                kinds == kinds_found,
                "{name}() has the branches {kinds_found:?}, but the map {kinds:?}"
            );
            writeln!(text, "{name}()")?;
            for ((kind, row), (_, rust, line, test, pinned)) in found.iter().zip(branches) {
                let rust_row = row_of(&root.join(RUST).join(rust), |it| it.trim() == line)?;
                let test = format!("{test}.c");
                let test_row = row_of(&root.join(TESTS).join(&test), |it| it.contains(pinned))?;
                let (kind, rust) = (kind.word(), format!("{rust}:{rust_row}"));
                let line = format!("  {row:4} {kind:4} {rust:24} {test}:{test_row}");
                writeln!(text, "{line}")?;
            }
        }
        Ok(text)
    }
}

/// The branches of a function, each with its line.
fn find(source: &str, name: &str) -> Result<Vec<(Kind, usize)>> {
    let ranges = cdefs::find(source, name)?;
    let [range] = &ranges[..] else {
        bail!("{name}() is there {} times, not once", ranges.len());
    };
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_c::LANGUAGE.into())?;
    let tree = parser.parse(&source[range.clone()], None);
    let tree = tree.context("the C parser gave up")?;
    let above = source[..range.start].lines().count();

    fn collect(node: Node, above: usize, into: &mut Vec<(Kind, usize)>) {
        let kind = match node.kind() {
            "if_statement" => Some(Kind::If),
            "case_statement" => Some(Kind::Case),
            _ => None,
        };
        into.extend(kind.map(|kind| (kind, above + node.start_position().row + 1)));
        for child in node.children(&mut node.walk()) {
            collect(child, above, into);
        }
    }
    let mut found = Vec::new();
    collect(tree.root_node(), above, &mut found);
    Ok(found)
}

/// The number of the one line that is meant.
fn row_of(file: &Path, is_meant: impl Fn(&str) -> bool) -> Result<usize> {
    let text = fs::read_to_string(file)?;
    let rows: Vec<usize> = (1..)
        .zip(text.lines())
        .filter(|(_, line)| is_meant(line))
        .map(|(row, _)| row)
        .collect();
    match rows[..] {
        [row] => Ok(row),
        _ => bail!(
            "a line of {} is there {} times, not once",
            file.display(),
            rows.len()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "int f(int a)\n{\n\tif (a)\n\t\treturn 1;\n\tswitch (a) {\n\tcase 1:\n\
                          \tcase 2:\n\t\tbreak;\n\tdefault:\n\t\treturn 2;\n\t}\n\treturn 0;\n}\n";

    #[test]
    fn branches_are_found_with_their_lines() {
        let source = format!("int g;\n\n{SOURCE}");
        let found = find(&source, "f").unwrap();
        let expected = [
            (Kind::If, 5),
            (Kind::Case, 8),
            (Kind::Case, 9),
            (Kind::Case, 11),
        ];
        assert_eq!(found, expected);
        assert!(find(&source, "h").is_err());
    }

    #[test]
    fn a_map_must_fit() {
        let root = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("rust/fw_regs/a.rs", "one\n    two\n"),
            ("selftests/kvm/arm64/t.c", "\nTEST(x)\n"),
        ] {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let map = |branches: &str| {
            let map = format!("[[function]]\nname = 'f'\nbranches = [{branches}]\n");
            let map: Map = toml::from_str(&map).unwrap();
            map.text(SOURCE, root.path())
        };
        let one = "['if', 'a.rs', 'two', 't', 'TEST']";
        let case = "['case', 'a.rs', 'one', 't', 'x']";
        let good = map(&format!("{one}, {case}, {case}, {case}")).unwrap();
        let first = "f()\n     3 if   a.rs:2                   t.c:2\n";
        assert!(good.starts_with(first), "{good}");

        let error = |branches: &str| map(branches).unwrap_err().to_string();
        assert!(error(one).contains("has the branches"));
        let gone = |from: &str, to: &str| {
            error(&format!("{one}, {case}, {case}, {case}").replace(from, to))
        };
        assert!(gone("two", "tw").contains("a line of"));
        assert!(gone("TEST", "TEXT").contains("a line of"));
    }
}
