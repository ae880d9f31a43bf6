//! The log: one line for each entry, with its time in UTC.

use std::fmt;
use std::io::{IsTerminal, stderr};

use anyhow::{Result, bail};
use tracing::Subscriber;
use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{self, Writer};

/// Reads a filter, such as `info` or `slipway=debug,warn`.
///
/// # Errors
///
/// A word that is no level is refused. It could be the name of a module, but then a misspelt level would be one, too,
/// and nothing would be logged.
pub(crate) fn filter(text: &str) -> Result<EnvFilter> {
    for directive in text.split(',').filter(|directive| !directive.contains('[')) {
        let level = directive.rsplit('=').next().unwrap_or_default().trim();
        if level.parse::<LevelFilter>().is_err() || level.is_empty() {
            bail!("{directive:?} is neither a level (off, error, warn, info, debug, trace) nor TARGET=LEVEL");
        }
    }
    Ok(EnvFilter::try_new(text)?)
}

/// Returns what writes the entries that the filter lets pass.
pub(crate) fn log<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .fmt_fields(format::debug_fn(write_field))
        .with_writer(writer)
        .finish()
}

/// Whoever could end the line could write the next entry, and whoever could move the cursor could hide it.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        // Where other crates log from, which stands before the message already.
        name if name.starts_with("log.") => return Ok(()),
        name => write!(writer, " {name}=")?,
    }
    for char in format!("{value:?}").chars() {
        match char.is_control() || matches!(char, '\u{2028}' | '\u{2029}') {
            true => write!(writer, "{}", char.escape_default())?,
            false => writer.write_char(char)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_misspelt_level_is_refused() {
        for good in ["info", "WARN", "slipway=debug", "slipway=debug,warn", "off", "slipway[{id}]=trace"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        for bad in ["warning", "", "nonsense=", "slipway=foo", "info,slipway", "debug;info"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_entry_is_one_line_with_its_time_in_utc_whatever_somebody_has_sent() {
        let kept = Kept::default();
        let writer = kept.clone();
        let log = log(EnvFilter::new("info"), move || writer.clone());
        let sent = "a\n2026-01-01T00:00:00Z ERROR b\r\u{1b}[2K\u{7f}\u{85}\u{2028}c";
        tracing::subscriber::with_default(log, || {
            tracing::warn!(error = %sent, name = sent, "first");
            tracing::warn!("second {sent}");
            tracing::debug!("left out");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let [first, second] = lines[..] else { panic!("{text}") };
        for (line, message) in [(first, "first error=a\\n2026"), (second, "second a\\n2026")] {
            let time = line.split(' ').next().unwrap();
            assert!(time.len() >= "2026-01-01T00:00:00Z".len() && time.ends_with('Z'), "{line}");
            assert!(line.contains(" WARN ") && line.contains(message), "{line}");
            assert!(!line.contains(|char: char| char.is_control() || char == '\u{2028}'), "{line:?}");
        }
        assert!(first.contains("name=\"a\\n2026"), "{first}");
    }
}
