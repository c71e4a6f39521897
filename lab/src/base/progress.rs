// SPDX-License-Identifier: GPL-2.0

//! What a person sees while the tool works: one progress line on a terminal, plain lines when
//! piped.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// After how much time the end of a step is told where there is no terminal.
const LONG: Duration = Duration::from_secs(5);

/// A step that takes a while. On a terminal its line disappears when the step is dropped; `done`
/// leaves a sentence behind. Elsewhere a line tells that it begins, and one that it has ended if it
/// was long.
pub struct Step {
    bar: ProgressBar,
    what: String,
}

impl Step {
    /// A step of unknown length.
    pub fn spinner(what: impl Into<String>) -> Self {
        let bar = ProgressBar::new_spinner();
        Self::begin(bar, what, "{spinner} {msg} [{elapsed}]")
    }

    /// A step of `len` parts.
    pub fn counter(what: impl Into<String>, len: u64) -> Self {
        let style = "{spinner} {msg} {bar:24} {pos}/{len} [{elapsed}]";
        Self::begin(ProgressBar::new(len), what, style)
    }

    /// A step of `len` bytes.
    pub fn bytes(what: impl Into<String>, len: u64) -> Self {
        let style = "{spinner} {msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} [{elapsed}]";
        Self::begin(ProgressBar::new(len), what, style)
    }

    fn begin(bar: ProgressBar, what: impl Into<String>, style: &str) -> Self {
        let what = what.into();
        bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
        bar.set_message(what.clone());
        bar.enable_steady_tick(Duration::from_millis(120));
        // Where standard error is no terminal.
        if bar.is_hidden() {
            say(format!("{what} ..."));
        }
        Self { bar, what }
    }

    pub fn message(&self, message: impl Into<String>) {
        self.bar.set_message(message.into());
    }

    pub fn inc(&self, n: u64) {
        self.bar.inc(n);
    }

    pub fn set(&self, n: u64) {
        self.bar.set_position(n);
    }

    pub fn done(self, sentence: impl AsRef<str>) {
        self.bar.finish_and_clear();
        say(sentence);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        let took = self.bar.elapsed();
        if self.bar.is_hidden() && took >= LONG {
            say(format!("{}: {} s", self.what, took.as_secs()));
        }
        self.bar.finish_and_clear();
    }
}

/// Prints one line about what is being done, to standard error: standard output is for results.
pub fn say(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}
