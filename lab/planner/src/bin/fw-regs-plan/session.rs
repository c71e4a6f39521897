// SPDX-License-Identifier: GPL-2.0

//! Reading what a command is about: what is broken is told, and remembered. A terminal shows how far
//! it is when it takes long.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{ensure, Error, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use planner::error::{render, Help};
use planner::files::{self, Watch, DUMPS_HELP, HOSTS_HELP};
use planner::{Dumps, HostOffers};

/// After how much time it is shown how far a command is.
const LONG: Duration = Duration::from_secs(1);

pub struct Session {
    /// Where it is told.
    err: Box<dyn Write>,
    broken: usize,
    start: Instant,
    bar: ProgressBar,
    shown: bool,
}

impl Session {
    pub fn new(err: impl Write + 'static) -> Self {
        Self {
            err: Box::new(err),
            broken: 0,
            start: Instant::now(),
            bar: ProgressBar::hidden(),
            shown: false,
        }
    }

    /// So many answers will be given. Where they scroll by on a terminal, nothing else has a place.
    pub fn begin_answers(&mut self, count: usize) {
        if !io::stdout().is_terminal() {
            self.begin("judging", count as u64);
        }
    }

    /// One has been given.
    pub fn answered(&mut self) {
        self.advance(1);
    }

    fn begin(&mut self, what: &'static str, length: u64) {
        let style =
            ProgressStyle::with_template("{spinner} {msg} {bar:24} {percent} % [{elapsed}]");
        self.bar.finish_and_clear();
        self.bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
        self.bar.set_style(style.expect("a valid template"));
        self.bar.set_message(what);
        self.shown = false;
    }

    fn advance(&mut self, count: u64) {
        self.bar.inc(count);
        if !self.shown && self.start.elapsed() > LONG {
            self.shown = true;
            // Nothing where that is no terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    /// Nothing more is shown.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
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
    fn total(&mut self, bytes: u64) {
        self.begin("reading", bytes);
    }

    fn bytes(&mut self, count: usize) {
        self.advance(count as u64);
    }

    fn broken(&mut self, error: Error) {
        self.broken += 1;
        // Nobody is left to be told where this fails.
        let text = render(&error);
        let err = &mut self.err;
        let _ = self.bar.suspend(|| writeln!(err, "{text}"));
    }
}
