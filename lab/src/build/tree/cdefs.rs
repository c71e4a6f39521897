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
    let mut cursor = root.walk();
    let nodes = root.children(&mut cursor);
    let definitions = nodes.filter(|node| defined_name(*node, source) == Some(name));
    let start_of = |row| source.split_inclusive('\n').take(row).map(str::len).sum();
    let ranges = definitions.map(|node| start_of(first_row(node))..start_of(last_row(node) + 1));
    Ok(ranges.collect())
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

/// The first row of the node, or of the comments above it that no empty line separates from it.
fn first_row(node: Node) -> usize {
    let mut first = node;
    while let Some(above) = first.prev_sibling() {
        let row = above.start_position().row;
        let touches = above.end_position().row + 1 == first.start_position().row;
        let begins_line = above.prev_sibling().is_none_or(|it| last_row(it) < row);
        if above.kind() != "comment" || !touches || !begins_line {
            break;
        }
        first = above;
    }
    first.start_position().row
}

/// The last row that a node has text in: some end with their newline, at column 0 of the next row.
fn last_row(node: Node) -> usize {
    let end = node.end_position();
    end.row - usize::from(end.column == 0 && end.row > 0)
}

#[cfg(test)]
mod tests;
