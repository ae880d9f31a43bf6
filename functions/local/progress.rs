//! How far something is, for whoever waits: a bar on a terminal, and nothing that moves elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::print_aside;

/// A bar on standard error, if that is a terminal.
#[derive(Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Counts bytes that are, say, read.
    pub(crate) fn bytes(verb: &str) -> Self {
        let bar = ProgressBar::new(0);
        let style = format!("{{bar:30}} {{bytes}} of {{total_bytes}} {verb}, {{eta}} to go {{wide_msg}}");
        if let Ok(style) = ProgressStyle::with_template(&style) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Says how far it is.
    pub(crate) fn set(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }

    /// There is so much more to do.
    pub(crate) fn expect(&self, size_bytes: u64) {
        self.0.inc_length(size_bytes);
    }

    /// So much more is done.
    pub(crate) fn advance(&self, size_bytes: u64) {
        self.0.inc(size_bytes);
    }

    /// Says a line that stays: above the bar, or as it is where there is none.
    pub(crate) fn say(&self, line: &str) {
        match self.0.is_hidden() {
            true => print_aside(line),
            false => self.0.println(line),
        }
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
