// SPDX-License-Identifier: GPL-2.0

//! Finds top-level C definitions by name: functions, variables and macros, with the comment above.

use std::ops::Range;

use anyhow::{Context, Result};
use tree_sitter::{Node, Parser};

/// Where the definitions of this name are: whole lines, from the first line of the comment
/// directly above to the end of the definition.
pub fn find(source: &str, name: &str) -> Result<Vec<Range<usize>>> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_c::LANGUAGE.into())?;
    let tree = parser.parse(source, None).context("the C parser gave up")?;
    let root = tree.root_node();
    let mut found = Vec::new();
    for node in root.children(&mut root.walk()) {
        if defined_name(node, source) == Some(name) {
            found.push(lines_of(source, start_with_comment(node), node.end_byte()));
        }
    }
    Ok(found)
}

/// The name that a top-level node defines; none for declarations and everything else.
fn defined_name<'s>(node: Node, source: &'s str) -> Option<&'s str> {
    let declarator = match node.kind() {
        "preproc_def" | "preproc_function_def" => node.child_by_field_name("name")?,
        "function_definition" => node.child_by_field_name("declarator")?,
        "declaration" => {
            let declarator = node.child_by_field_name("declarator")?;
            (declarator.kind() == "init_declarator").then_some(declarator)?
        }
        _ => return None,
    };
    let mut inner = declarator;
    while let Some(next) = inner.child_by_field_name("declarator") {
        inner = next;
    }
    inner.utf8_text(source.as_bytes()).ok()
}

/// The start of the node, or of the comments above it that no empty line separates from it.
fn start_with_comment(node: Node) -> usize {
    let mut first = node;
    while let Some(above) = first.prev_sibling() {
        let touches = above.end_position().row + 1 == first.start_position().row;
        let begins_line = above
            .prev_sibling()
            .is_none_or(|before| last_row(before) < above.start_position().row);
        if above.kind() != "comment" || !touches || !begins_line {
            break;
        }
        first = above;
    }
    first.start_byte()
}

/// The last row that a node has text in: some end with their newline, at column 0 of the next row.
fn last_row(node: Node) -> usize {
    let end = node.end_position();
    match end.column {
        0 => end.row.saturating_sub(1),
        _ => end.row,
    }
}

/// Widens a range to whole lines.
fn lines_of(source: &str, start: usize, end: usize) -> Range<usize> {
    let start = source[..start].rfind('\n').map_or(0, |newline| newline + 1);
    if end > start && source[..end].ends_with('\n') {
        return start..end;
    }
    let end = source[end..]
        .find('\n')
        .map_or(source.len(), |newline| end + newline + 1);
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
#include <linux/a.h>

/* A limit. */
#define LIMIT 3
#define AT(x)\t\t\t\\
\t((x) + 1)

static const u64 ids[] = {
\tLIMIT,
};

int count(void);

/*
 * Not about count().
 */

// Counts.
// In two lines.
int count(void)
{
\treturn LIMIT;
}

static int copy(u64 __user *to)
{
\tif (put_user(ids[0], to++))
\t\treturn -EFAULT;
\treturn 0;
}
void *pointer(void) { return 0; } /* after */
";

    fn text(name: &str) -> Vec<&'static str> {
        let found = find(SOURCE, name).unwrap();
        found.into_iter().map(|range| &SOURCE[range]).collect()
    }

    #[test]
    fn macros() {
        assert_eq!(text("LIMIT"), ["/* A limit. */\n#define LIMIT 3\n"]);
        assert_eq!(text("AT"), ["#define AT(x)\t\t\t\\\n\t((x) + 1)\n"]);
    }

    #[test]
    fn arrays() {
        assert_eq!(text("ids"), ["static const u64 ids[] = {\n\tLIMIT,\n};\n"]);
    }

    #[test]
    fn functions_with_their_comment_and_without_their_declaration() {
        let count = "// Counts.\n// In two lines.\nint count(void)\n{\n\treturn LIMIT;\n}\n";
        assert_eq!(text("count"), [count]);
    }

    #[test]
    fn functions_with_annotations() {
        let copy = text("copy");
        assert!(copy[0].starts_with("static int copy(u64 __user *to)\n{\n\tif"));
        assert!(copy[0].ends_with("\treturn 0;\n}\n"));
        let pointer = "void *pointer(void) { return 0; } /* after */\n";
        assert_eq!(text("pointer"), [pointer]);
    }

    #[test]
    fn unknown_names() {
        assert!(text("LIMITS").is_empty());
        assert!(text("to").is_empty());
    }
}
