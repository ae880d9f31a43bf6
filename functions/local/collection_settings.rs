//! What can be set for the garbage collection.

use std::time::Duration;

use anyhow::{Context, Result};
use registry::Lifetimes;
use registry::jobs::garbage_collection::Policy;

use crate::cli::{CollectionOptions, duration};
use crate::settings::Sources;

const EVERY: Duration = Duration::from_secs(10 * 60);

const TRASH_DAYS: u16 = 7;

/// Everything that can be set for the garbage collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CollectionSettings {
    /// How often it runs beside the server, if it does.
    pub(crate) every: Option<Duration>,
    pub(crate) policy: Policy,
    pub(crate) trash_days: u16,
    pub(crate) lifetimes: Lifetimes,
}

impl CollectionSettings {
    /// Puts them together.
    pub(crate) fn new(options: &CollectionOptions, sources: &Sources) -> Result<Self> {
        let file = &sources.file;
        let time = |option: Option<Duration>, variable: &str, key: &str, value: &Option<String>| {
            let source = match sources.variable(variable) {
                Some(text) => Some((variable.to_owned(), text)),
                None => value.clone().map(|text| (format!("{key} in the configuration file"), text)),
            };
            match (option, source) {
                (Some(option), _) => Ok(Some(option)),
                (None, Some((name, text))) => {
                    duration(&text).map(Some).map_err(|error| anyhow::anyhow!("{name}: {error}"))
                }
                (None, None) => Ok(None),
            }
        };
        let usual = Policy::default();
        let every = time(options.gc_every, "SLIPWAY_GC_EVERY", "gc-every", &file.gc_every)?;
        let untagged = time(options.gc_untagged, "SLIPWAY_GC_UNTAGGED", "gc-untagged", &file.gc_untagged)?;
        let history = time(options.gc_history, "SLIPWAY_GC_HISTORY", "gc-history", &file.gc_history)?;
        let trash = sources.variable("SLIPWAY_GC_TRASH").map(|text| text.parse().context("SLIPWAY_GC_TRASH"));
        Ok(Self {
            every: Some(every.unwrap_or(EVERY)).filter(|every| !every.is_zero()),
            policy: Policy {
                history: history.unwrap_or(usual.history),
                untagged: untagged.filter(|untagged| !untagged.is_zero()),
            },
            trash_days: options.gc_trash.or(trash.transpose()?).or(file.gc_trash).unwrap_or(TRASH_DAYS),
            lifetimes: options.lease.map_or_else(Lifetimes::default, lifetimes),
        })
    }
}

fn lifetimes(lease: Duration) -> Lifetimes {
    Lifetimes { lease, upload: 7 * lease, object: lease / 24 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::File;

    fn settings(
        options: &CollectionOptions,
        variable: Option<(&str, &str)>,
        file: &str,
    ) -> Result<CollectionSettings> {
        let environment =
            |name: &str| variable.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        let file: File = toml::from_str(file).unwrap();
        CollectionSettings::new(options, &Sources { environment: &environment, file })
    }

    #[test]
    fn the_nearest_source_says_what_is_collected_when() {
        let none = CollectionOptions::default();
        let usual = settings(&none, None, "").unwrap();
        assert_eq!((usual.every, usual.policy, usual.trash_days), (Some(EVERY), Policy::default(), 7));
        let file = "gc-every = '1h'\ngc-untagged = '30d'\ngc-history = '2d'\ngc-trash = 0\n";
        let filed = settings(&none, Some(("SLIPWAY_GC_EVERY", "off")), file).unwrap();
        assert_eq!((filed.every, filed.trash_days), (None, 0));
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        assert_eq!(filed.policy, Policy { history: days(2), untagged: Some(days(30)) });
        let option = CollectionOptions { gc_untagged: Some(Duration::ZERO), ..CollectionOptions::default() };
        assert_eq!(settings(&option, None, file).unwrap().policy.untagged, None);
    }

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        let none = CollectionOptions::default();
        for (variable, file, word) in [
            (Some(("SLIPWAY_GC_EVERY", "often")), "", "SLIPWAY_GC_EVERY"),
            (Some(("SLIPWAY_GC_TRASH", "-1")), "", "SLIPWAY_GC_TRASH"),
            (None, "gc-untagged = 'never'", "gc-untagged in the configuration file"),
        ] {
            let error = format!("{:#}", settings(&none, variable, file).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }
}
