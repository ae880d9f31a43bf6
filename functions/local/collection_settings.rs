//! What can be set for the garbage collection.

use std::time::Duration;

use anyhow::{Result, anyhow};
use registry::Lifetimes;
use registry::jobs::garbage_collection::Policy;

use crate::cli::CollectionOptions;
use crate::settings::Sources;
use crate::times::{Written, day_or_longer, duration, long_duration, whole_days};

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
        let usual = Policy::default();
        let every = sources.time(options.gc_every, "GC_EVERY", &file.gc_every, duration)?;
        let untagged = sources.time(options.gc_untagged, "GC_UNTAGGED", &file.gc_untagged, day_or_longer)?;
        let history = sources.time(options.gc_history, "GC_HISTORY", &file.gc_history, long_duration)?;
        let trash_days = sources.time(options.gc_trash, "GC_TRASH", &file.gc_trash, whole_days)?;
        Ok(Self {
            every: Some(every.unwrap_or(EVERY)).filter(|every| !every.is_zero()),
            policy: Policy {
                history: history.unwrap_or(usual.history),
                untagged: untagged.filter(|untagged| !untagged.is_zero()),
            },
            trash_days: trash_days.unwrap_or(TRASH_DAYS),
            lifetimes: options.lease.map_or_else(Lifetimes::default, lifetimes),
        })
    }
}

impl Sources<'_> {
    /// Returns the option, or reads what the environment says, or else the file.
    fn time<T>(
        &self,
        option: Option<T>,
        name: &str,
        filed: &Option<Written>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Result<Option<T>> {
        if option.is_some() {
            return Ok(option);
        }
        let variable = format!("SLIPWAY_{name}");
        let (source, text) = match (self.variable(&variable), filed) {
            (Some(text), _) => (variable, text),
            (None, Some(filed)) => {
                let key = name.to_lowercase().replace('_', "-");
                (format!("{key} in the configuration file"), filed.to_string())
            }
            (None, None) => return Ok(None),
        };
        read(&text).map(Some).map_err(|error| anyhow!("{source}: {error}"))
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
    fn days_are_written_with_and_without_their_letter_in_every_source() {
        let none = CollectionOptions::default();
        let days = |days: u64| Duration::from_secs(days * 24 * 60 * 60);
        for text in ["30", "30d", "720h"] {
            for key in ["gc-untagged", "gc-history", "gc-trash"] {
                let variable = format!("SLIPWAY_{}", key.to_uppercase().replace('-', "_"));
                let mut ways = vec![
                    settings(&none, Some((&variable, text)), ""),
                    settings(&none, None, &format!("{key} = '{text}'")),
                ];
                ways.extend((text == "30").then(|| settings(&none, None, &format!("{key} = 30"))));
                for said in ways.into_iter().map(Result::unwrap) {
                    let is_said = match key {
                        "gc-untagged" => said.policy.untagged == Some(days(30)),
                        "gc-history" => said.policy.history == days(30),
                        _ => said.trash_days == 30,
                    };
                    assert!(is_said, "{key} {text}: {said:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_refused_by_name() {
        let none = CollectionOptions::default();
        for (variable, file, word) in [
            (Some(("SLIPWAY_GC_EVERY", "often")), "", "SLIPWAY_GC_EVERY"),
            (Some(("SLIPWAY_GC_TRASH", "-1")), "", "SLIPWAY_GC_TRASH"),
            (None, "gc-trash = -1", "gc-trash in the configuration file"),
            (None, "gc-untagged = '23h'", "a day is the least"),
            (None, "gc-untagged = 'never'", "gc-untagged in the configuration file"),
        ] {
            let error = format!("{:#}", settings(&none, variable, file).unwrap_err());
            assert!(error.contains(word), "{error}");
        }
    }
}
