//! Types that are checked text: the grammar alone decides what they accept, and they never change it.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use serde::{Serialize, de::DeserializeOwned};

/// Longest refusal, in characters: an excerpt of 100 characters, each perhaps escaped, in a sentence.
const REFUSAL_MAX_CHARS: usize = 100 * r"\u{10ffff}".len() + 200;

/// Makes a function that tells whether the whole text matches a regular expression.
#[macro_export]
macro_rules! grammar {
    ($name:ident, $regex:literal) => {
        fn $name(text: &str) -> bool {
            static REGEX: std::sync::LazyLock<$crate::Regex> =
                std::sync::LazyLock::new(|| $crate::Regex::new(concat!("^(?:", $regex, ")$")).unwrap());
            REGEX.is_match(text)
        }
    };
}

/// Checks that `T` accepts the text exactly if it should, and then shows, stores and reads it unchanged.
pub fn check_text<T>(text: &str, is_good: bool)
where
    T: FromStr<Err: Display> + Display + AsRef<str> + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let json = serde_json::to_string(text).unwrap();
    match text.parse::<T>() {
        Ok(parsed) => {
            assert!(is_good, "accepted against the grammar: {text:?}");
            assert_eq!((parsed.as_ref(), &*parsed.to_string()), (text, text));
            assert_eq!(serde_json::to_string(&parsed).unwrap(), json);
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), parsed);
        }
        Err(refusal) => {
            assert!(!is_good, "refused against the grammar: {text:?}: {refusal}");
            assert!(serde_json::from_str::<T>(&json).is_err(), "read from storage: {text:?}");
            check_refusal(&refusal);
        }
    }
}

/// Checks that a refusal is a sentence, however long the refused text was.
pub fn check_refusal(refusal: &impl Display) {
    let chars = refusal.to_string().chars().count();
    assert!((1..=REFUSAL_MAX_CHARS).contains(&chars), "refusal of {chars} characters: {refusal}");
}
