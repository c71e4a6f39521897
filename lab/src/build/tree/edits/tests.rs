// SPDX-License-Identifier: GPL-2.0

//! Edits, made in texts of this file; and that the list itself can be read.

use super::*;
use crate::base::project::Project;

const EDITS: &str = r##"
[[move]]
patch = "one"
from = "a.c"
to = "new.c"
names = ["f"]
header = "/* new */\n"

[[move]]
patch = "one"
from = "a.c"
to = "a.h"
names = ["N"]
after = "#include <x.h>"

[[insert]]
patch = "one"
file = "Makefile"
after = "a"
text = "b\n"

[[insert]]
patch = "two"
file = "b.c"
within = "f"
after = "	x();"
text = "	y();\n"

[[replace]]
patch = "two"
file = "Makefile"
pattern = '^z.*'
text = "y"
"##;

fn tree(file: &str) -> Result<Option<String>> {
    Ok(match file {
        "a.c" => Some("#define N 1\n\nint f(void)\n{\n}\n\nint g;\n".into()),
        "a.h" => Some("#include <x.h>\n\nint g;\n".into()),
        "Makefile" => Some("a\nz z\n".into()),
        "b.c" => Some("int g(void)\n{\n\tx();\n}\n\nint f(void)\n{\n\tx();\n}\n".into()),
        _ => None,
    })
}

#[test]
fn all_kinds_together() {
    let edits: Edits = toml::from_str(EDITS).unwrap();
    let files = edits.apply(tree).unwrap().unwrap();
    let expected = [
        ("Makefile", "a\nb\ny\n"),
        ("a.c", "int g;\n"),
        ("a.h", "#include <x.h>\n\n#define N 1\n\nint g;\n"),
        (
            "b.c",
            "int g(void)\n{\n\tx();\n}\n\nint f(void)\n{\n\tx();\n\ty();\n}\n",
        ),
        ("new.c", "/* new */\n\nint f(void)\n{\n}\n"),
    ];
    let expected = expected.map(|(file, text)| (file.to_string(), text.to_string()));
    assert_eq!(files, BTreeMap::from(expected));
}

#[test]
fn a_patch_of_the_series_has_its_own_edits() {
    let edits = r#"
            [[insert]]
            patch = "one"
            until = "two"
            file = "Makefile"
            after = "a"
            text = "for now\n"

            [[lines]]
            file = "Makefile"
            before = "z z"
            lines = [["one", "b"], ["two", "c"], ["one", "d"]]
            "#;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), edits).unwrap();
    let edits = Edits::load(file.path()).unwrap();
    assert!(edits.patches().all(|patch| ["one", "two"].contains(&patch)));

    let makefile = |there: &[&str]| {
        let edits = edits.of(|patch| there.contains(&patch));
        edits.apply(tree).unwrap().unwrap().remove("Makefile")
    };
    assert_eq!(makefile(&[]), None);
    assert_eq!(makefile(&["one"]).unwrap(), "a\nfor now\nb\nd\nz z\n");
    assert_eq!(makefile(&["one", "two"]).unwrap(), "a\nb\nc\nd\nz z\n");
}

#[test]
fn every_failure_is_told() {
    let edits: Edits = toml::from_str(EDITS).unwrap();
    let other = |file: &str| {
        Ok(match file {
            "a.c" => Some("int f(void);\n".into()),
            "Makefile" => Some("a\na\n".into()),
            "b.c" => Some("int g(void)\n{\n\tx();\n}\n".into()),
            _ => None,
        })
    };
    let failures = edits.apply(other).unwrap().unwrap_err();
    assert_eq!(
        failures,
        [
            "Makefile: `^z.*` not found",
            "a.c: `f` not found",
            "a.c: `N` not found",
            "Makefile: `a` found 2 times, not once",
            "b.c: `f` not found",
        ]
    );
}

#[test]
fn a_new_file_must_be_new() {
    let edits: Edits = toml::from_str(EDITS).unwrap();
    let full = |file: &str| tree(if file == "new.c" { "a.c" } else { file });
    let failures = edits.apply(full).unwrap().unwrap_err();
    assert_eq!(failures, ["new.c: the file exists already"]);
}

#[test]
fn our_list_can_be_read() {
    Edits::load(&Project::here().root().join("lab/data/edits.toml")).unwrap();
}
