// SPDX-License-Identifier: GPL-2.0

//! What a person sees while the tool works: one progress line on a terminal, plain lines when
//! piped.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A step that takes a while. The line disappears when the step is dropped; `done` leaves a
/// sentence behind.
pub struct Step {
    bar: ProgressBar,
}

impl Step {
    /// A step of unknown length.
    pub fn spinner(message: impl Into<String>) -> Self {
        let bar = ProgressBar::with_draw_target(None, target());
        bar.set_style(style("{spinner} {msg} [{elapsed}]"));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(message.into());
        Self { bar }
    }

    /// A step of `len` parts.
    pub fn counter(message: impl Into<String>, len: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(len), target());
        bar.set_style(style("{spinner} {msg} {bar:24} {pos}/{len} [{elapsed}]"));
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_message(message.into());
        Self { bar }
    }

    /// A step of `len` bytes.
    pub fn bytes(message: impl Into<String>, len: u64) -> Self {
        let step = Self::counter(message, len);
        step.bar.set_style(style(
            "{spinner} {msg} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} [{elapsed}]",
        ));
        step
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

    /// Ends the step and leaves one line that tells what was done.
    pub fn done(self, sentence: impl AsRef<str>) {
        self.bar.finish_and_clear();
        say(sentence);
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// Prints one line about what is being done, to standard error: standard output is for results.
pub fn say(line: impl AsRef<str>) {
    eprintln!("{}", line.as_ref());
}

fn target() -> ProgressDrawTarget {
    if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
