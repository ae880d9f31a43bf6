//! How long something lasts, as people write it.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A time in the configuration file: text, or a number alone.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Written {
    Number(i64),
    Text(String),
}

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Text(text) => text.fmt(formatter),
        }
    }
}

/// Reads `30s`, `10m`, `7d` and the like; `off` is no time at all.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    match text {
        "off" | "0" => Ok(Duration::ZERO),
        text => humantime::parse_duration(text).map_err(|error| format!("{text:?}: {error}")),
    }
}

/// Reads the same where days are meant: a number alone is so many.
pub(crate) fn long_duration(text: &str) -> Result<Duration, String> {
    match text.parse::<u16>() {
        Ok(days) => Ok(DAY * u32::from(days)),
        Err(_) => duration(text),
    }
}

/// Reads the same for what has to be kept for a day at least, since a client may still be at work with it.
pub(crate) fn day_or_longer(text: &str) -> Result<Duration, String> {
    match long_duration(text)? {
        short if !short.is_zero() && short < DAY => {
            Err(format!("{text:?}: a day is the least, `off` is for ever"))
        }
        long => Ok(long),
    }
}

/// Reads the same for what is kept by the day: a day that has begun is a whole one.
pub(crate) fn whole_days(text: &str) -> Result<u16, String> {
    let days = long_duration(text)?.as_nanos().div_ceil(DAY.as_nanos());
    u16::try_from(days).map_err(|_| format!("{text:?}: it is {} days at most", u16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_is_days_where_days_are_meant() {
        for (text, hours) in [("30", 720), ("30d", 720), ("12h", 12), ("0", 0), ("off", 0), ("1day 1h", 25)] {
            assert_eq!(long_duration(text), Ok(Duration::from_secs(hours * 60 * 60)), "{text}");
        }
        assert!(duration("30").is_err(), "minutes or days?");
        for (text, is_taken) in [("off", true), ("23h", false), ("1s", false), ("24h", true), ("1", true)] {
            assert_eq!(day_or_longer(text).is_ok(), is_taken, "{text}");
        }
        for bad in ["", "d", "-1", "70000", "soon"] {
            assert!(long_duration(bad).is_err() && whole_days(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn what_is_kept_by_the_day_is_kept_no_shorter_than_was_said() {
        for (text, days) in [("7", 7), ("7d", 7), ("12h", 1), ("25h", 2), ("0", 0), ("off", 0)] {
            assert_eq!(whole_days(text), Ok(days), "{text}");
        }
        assert!(whole_days("70000d").is_err());
    }
}
