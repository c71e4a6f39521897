// SPDX-License-Identifier: GPL-2.0

//! The three changes that can be made to a kernel file, as functions from text to text.
//!
//! An error says why a change cannot be made; the caller knows the file.

use std::ops::Range;

use regex::Regex;

use super::cdefs;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

/// Puts `text` before or after the one line that is equal to `anchor`.
pub fn insert(file: &str, side: Side, anchor: &str, text: &str) -> Result<String, String> {
    let mut matches = Vec::new();
    let mut start = 0;
    for line in file.split_inclusive('\n') {
        if line.trim_end_matches('\n') == anchor {
            matches.push(start..start + line.len());
        }
        start += line.len();
    }
    let line = only(matches, anchor)?;
    let at = match side {
        Side::Before => line.start,
        Side::After => line.end,
    };
    let (head, tail) = file.split_at(at);
    // The last line of a file can lack its newline.
    let newline = match head.is_empty() || head.ends_with('\n') {
        true => "",
        false => "\n",
    };
    Ok([head, newline, text, tail].concat())
}

/// Changes the named C definition by `change`.
pub fn within(
    file: &str,
    name: &str,
    change: impl FnOnce(&str) -> Result<String, String>,
) -> Result<String, String> {
    let range = definition(file, name)?;
    let changed = change(&file[range.clone()]).map_err(|why| format!("{why} in `{name}`"))?;
    Ok(splice(file, range, &changed))
}

/// Puts `text` in the place of the one match of `pattern`. `^` and `$` match at each line. `${name}`
/// in the text stands for what the pattern's group of that name matches.
pub fn replace(file: &str, pattern: &str, text: &str) -> Result<String, String> {
    let regex = Regex::new(&format!("(?m){pattern}")).map_err(|error| error.to_string())?;
    let found = only(regex.captures_iter(file).collect(), pattern)?;
    let mut expanded = String::new();
    found.expand(text, &mut expanded);
    Ok(splice(file, found.get_match().range(), &expanded))
}

/// Takes the named C definitions out of a file: what is left, and what was taken, in the order
/// and with the empty lines of the source. All names that cannot be taken are told.
pub fn take(file: &str, names: &[String]) -> Result<(String, String), Vec<String>> {
    let (mut ranges, mut failures) = (Vec::new(), Vec::new());
    for name in names {
        match definition(file, name) {
            Ok(range) => ranges.push(range),
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        return Err(failures);
    }
    ranges.sort_by_key(|range| range.start);
    ranges.dedup();

    let mut taken = String::new();
    let mut end = None;
    for range in &ranges {
        if end.is_some_and(|end| end < range.start) {
            taken.push('\n');
        }
        taken += &file[range.clone()];
        end = Some(range.end);
    }
    // From the last to the first, so that the ranges before stay right.
    let left = ranges.into_iter().rev().fold(file.to_string(), remove);
    Ok((left, taken))
}

/// Removes whole lines, and one of the two empty lines that would meet.
fn remove(file: String, Range { start, end }: Range<usize>) -> String {
    let gap_above = start == 0 || file[..start].ends_with("\n\n");
    let range = match &file[end..] {
        tail if gap_above && tail.starts_with('\n') => start..end + 1,
        "" if gap_above => start.saturating_sub(1)..end,
        _ => start..end,
    };
    splice(&file, range, "")
}

fn splice(file: &str, range: Range<usize>, text: &str) -> String {
    [&file[..range.start], text, &file[range.end..]].concat()
}

fn definition(file: &str, name: &str) -> Result<Range<usize>, String> {
    only(
        cdefs::find(file, name).map_err(|error| error.to_string())?,
        name,
    )
}

/// The only place where something was found, or why there is none.
fn only<T>(mut found: Vec<T>, what: &str) -> Result<T, String> {
    match (found.len(), found.pop()) {
        (1, Some(found)) => Ok(found),
        (0, _) | (_, None) => Err(format!("`{what}` not found")),
        (count, _) => Err(format!("`{what}` found {count} times, not once")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAKEFILE: &str = "a-y := a.o\n\nb-y := b.o\nlast";

    #[test]
    fn insert_beside_a_line() {
        let inserted = |side, anchor| insert(MAKEFILE, side, anchor, "new\n");
        let after = inserted(Side::After, "a-y := a.o").unwrap();
        assert_eq!(after, "a-y := a.o\nnew\n\nb-y := b.o\nlast");
        let before = inserted(Side::Before, "a-y := a.o").unwrap();
        assert_eq!(before, "new\na-y := a.o\n\nb-y := b.o\nlast");
        let end = inserted(Side::After, "last").unwrap();
        assert_eq!(end, "a-y := a.o\n\nb-y := b.o\nlast\nnew\n");
    }

    #[test]
    fn insert_needs_the_whole_line_and_one_only() {
        let refused = |file, anchor| insert(file, Side::After, anchor, "new\n").unwrap_err();
        assert_eq!(refused(MAKEFILE, "a-y"), "`a-y` not found");
        assert_eq!(refused("x\nx\n", "x"), "`x` found 2 times, not once");
    }

    #[test]
    fn replace_one_match() {
        let replaced = replace(MAKEFILE, r"^b-y := (?<object>\S+)$", "b-n := ${object}").unwrap();
        assert_eq!(replaced, MAKEFILE.replace("b-y", "b-n"));
        assert_eq!(
            replace(MAKEFILE, "-y", "").unwrap_err(),
            "`-y` found 2 times, not once"
        );
        assert_eq!(replace(MAKEFILE, "-z", "").unwrap_err(), "`-z` not found");
        assert!(replace(MAKEFILE, "(", "").is_err());
    }

    const C: &str = "#include <a.h>\n\n#define A 1\n#define B 2\n\nint keep;\n\n\
                     /* Two. */\nstatic int two(void)\n{\n\treturn B;\n}\n\nint one(void)\n{\n}\n";

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| name.to_string()).collect()
    }

    #[test]
    fn take_keeps_order_and_empty_lines() {
        let (left, taken) = take(C, &names(&["two", "B", "A"])).unwrap();
        assert_eq!(left, "#include <a.h>\n\nint keep;\n\nint one(void)\n{\n}\n");
        assert_eq!(
            taken,
            "#define A 1\n#define B 2\n\n/* Two. */\nstatic int two(void)\n{\n\treturn B;\n}\n"
        );
    }

    #[test]
    fn take_the_last_definition() {
        let (left, taken) = take(C, &names(&["one", "two"])).unwrap();
        assert!(left.ends_with("int keep;\n"), "{left}");
        assert!(taken.ends_with("}\n\nint one(void)\n{\n}\n"), "{taken}");
    }

    #[test]
    fn take_tells_all_that_is_missing() {
        let twice = format!("{C}int one(void)\n{{\n}}\n");
        let failures = take(&twice, &names(&["A", "none", "one"])).unwrap_err();
        assert_eq!(
            failures,
            ["`none` not found", "`one` found 2 times, not once"]
        );
    }
}
