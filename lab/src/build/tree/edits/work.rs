// SPDX-License-Identifier: GPL-2.0

//! Edits, made one after the other in files that are in memory.

use std::collections::BTreeMap;
use std::fmt;

use super::{Insertion, Move, Replacement};
use crate::build::tree::rewrite::{self, Refusal, Side};

/// An edit that cannot be made.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    file: String,
    anchor: String,
    why: Refusal,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}", self.file, self.anchor, self.why)
    }
}

/// Files in the middle of being edited.
#[derive(Default)]
pub struct Work {
    pub files: BTreeMap<String, String>,
    pub failures: Vec<Failure>,
}

impl Work {
    fn fail(&mut self, file: &str, anchor: &str, why: impl Into<Refusal>) {
        self.failures.push(Failure {
            file: file.to_string(),
            anchor: anchor.to_string(),
            why: why.into(),
        });
    }

    /// Changes one file by `change`, or notes why that cannot be.
    fn change(
        &mut self,
        file: &str,
        anchor: &str,
        change: impl Fn(&str) -> Result<String, Refusal>,
    ) {
        let changed = match self.files.get(file) {
            Some(text) => change(text),
            None => Err("not found: there is no such file".into()),
        };
        match changed {
            Ok(text) => drop(self.files.insert(file.to_string(), text)),
            Err(why) => self.fail(file, anchor, why),
        }
    }

    pub fn insert(&mut self, edit: &Insertion) {
        let (side, anchor) = match (&edit.before, &edit.after) {
            (Some(anchor), None) => (Side::Before, anchor),
            (None, Some(anchor)) => (Side::After, anchor),
            _ => return self.fail(&edit.file, &edit.text, "needs either `before` or `after`"),
        };
        let within = edit.within.as_deref();
        self.change(&edit.file, anchor, |text| match within {
            Some(name) => rewrite::within(text, name, |definition| {
                rewrite::insert(definition, side, anchor, &edit.text)
            }),
            None => rewrite::insert(text, side, anchor, &edit.text),
        });
    }

    pub fn replace(&mut self, edit: &Replacement) {
        self.change(&edit.file, &edit.pattern, |text| {
            rewrite::replace(text, &edit.pattern, &edit.text)
        });
    }

    pub fn relocate(&mut self, edit: &Move) {
        let Some(from) = self.files.get(&edit.from) else {
            return self.fail(
                &edit.from,
                &edit.names.join(", "),
                "not found: there is no such file",
            );
        };
        let (left, taken) = match rewrite::take(from, &edit.names) {
            Ok(result) => result,
            Err(refusals) => {
                for (name, why) in refusals {
                    self.fail(&edit.from, &name, why);
                }
                return;
            }
        };
        self.files.insert(edit.from.clone(), left);
        match (&edit.header, &edit.after) {
            (Some(_), None) if self.files.contains_key(&edit.to) => {
                self.fail(&edit.to, &edit.names.join(", "), "the file exists already");
            }
            (Some(header), None) => {
                self.files
                    .insert(edit.to.clone(), format!("{header}\n{taken}"));
            }
            (None, Some(anchor)) => self.change(&edit.to, anchor, |text| {
                rewrite::insert(text, Side::After, anchor, &format!("\n{taken}"))
            }),
            _ => self.fail(
                &edit.to,
                &edit.names.join(", "),
                "needs either `header` or `after`",
            ),
        }
    }
}
