// SPDX-License-Identifier: GPL-2.0

//! Reading what a command is about: what is broken is told, and remembered.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{ensure, Error, Result};
use planner::error::{render, Help};
use planner::files::{self, Watch, DUMPS_HELP, HOSTS_HELP};
use planner::{Dumps, HostOffers};

pub struct Session {
    /// Where it is told.
    err: Box<dyn Write>,
    broken: usize,
}

impl Session {
    pub fn new(err: impl Write + 'static) -> Self {
        let err = Box::new(err);
        Self { err, broken: 0 }
    }

    /// Hosts, and not none.
    pub fn hosts(&mut self, paths: &[PathBuf]) -> Result<Vec<HostOffers>> {
        let hosts = files::hosts(paths, self);
        some(!hosts.is_empty(), "host").help(HOSTS_HELP)?;
        Ok(hosts)
    }

    /// Dumps, and not none.
    pub fn dumps(&mut self, paths: &[PathBuf]) -> Result<Vec<Dumps>> {
        let dumps = files::dumps(paths, self);
        some(!dumps.is_empty(), "dump").help(DUMPS_HELP)?;
        Ok(dumps)
    }

    /// Where people are told what the answer has no place for.
    pub fn err(&mut self) -> &mut impl Write {
        &mut self.err
    }

    pub fn all_was_read(&self) -> bool {
        self.broken == 0
    }
}

fn some(any: bool, what: &str) -> Result<()> {
    ensure!(any, "no {what} could be read");
    Ok(())
}

impl Watch for Session {
    fn broken(&mut self, error: Error) {
        self.broken += 1;
        // Nobody is left to be told where this fails.
        let _ = writeln!(self.err, "{}", render(&error));
    }
}
