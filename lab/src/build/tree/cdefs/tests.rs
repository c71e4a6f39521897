// SPDX-License-Identifier: GPL-2.0

//! Definitions, found in a file that has all kinds of them.

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
