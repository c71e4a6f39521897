// SPDX-License-Identifier: GPL-2.0

//! Errors that say what to do.
//!
//! An error is told in one sentence per cause, without a backtrace: who reads it wants to get on,
//! not to debug this tool.

use std::error::Error;
use std::fmt;

/// An error together with the advice that a person needs to get past it.
#[derive(Debug)]
struct Fault {
    error: Box<dyn Error + Send + Sync>,
    help: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// What was checked is broken: the tool did its work, and this is what it found.
#[derive(Debug)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Broken {}

/// An error of our own making: what is wrong, and what to do about it.
pub fn fault(error: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
    let (error, help) = (error.into().into(), help.into());
    Fault { error, help }.into()
}

/// Adds advice to the error of a `Result`.
pub trait Help<T> {
    fn help(self, help: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Help<T> for Result<T, E> {
    fn help(self, help: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| {
            let (error, help) = (error.into().into(), help.into());
            Fault { error, help }.into()
        })
    }
}

/// The text shown for an error that ends the program.
pub fn render(error: &anyhow::Error) -> String {
    let (mut said, mut helps) = (Vec::<String>::new(), Vec::new());
    for cause in error.chain() {
        let text = cause.to_string();
        // Some errors repeat their source in their own text.
        if !said.last().is_some_and(|last| last.ends_with(&text)) {
            said.push(text);
        }
        if let Some(fault) = cause.downcast_ref::<Fault>() {
            helps.push(&*fault.help);
        }
    }
    let said = said.join(": ");
    // Any step can meet a full disk, and none leaves half of a thing behind.
    if said.contains("No space left on device") {
        helps.push("the disk is full: free some space, then run the same command again");
    }
    let helps: String = helps.iter().map(|help| format!("\nhelp: {help}")).collect();
    format!("error: {said}{helps}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn help_survives_context() {
        let error = Err::<(), _>(fault("no such tree", "pass another one"))
            .context("KDIR")
            .unwrap_err();
        assert_eq!(
            render(&error),
            "error: KDIR: no such tree\nhelp: pass another one"
        );
    }

    #[test]
    fn a_full_disk_is_recognised() {
        let text = render(&std::io::Error::from_raw_os_error(28).into());
        assert!(text.ends_with("then run the same command again"), "{text}");
    }

    #[test]
    fn help_keeps_the_causes() {
        let io = std::io::Error::other("disk full");
        let error = Err::<(), _>(io)
            .context("cannot write Image")
            .help("free some space")
            .unwrap_err();
        assert_eq!(
            render(&error),
            "error: cannot write Image: disk full\nhelp: free some space"
        );
    }
}
