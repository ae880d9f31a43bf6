//! Parameters are those of the URL standard, except that a plus sign stays one; a value survives its encoding.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Query;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

fuzz_target!(|raw: &str| {
    let query = Query::parse(raw);
    let standard = raw.replace('+', "%2B");
    let expected: Vec<_> = form_urlencoded::parse(standard.as_bytes()).collect();
    for (key, _) in &expected {
        let values: Vec<_> =
            expected.iter().filter(|(name, _)| name == key).map(|(_, value)| &**value).collect();
        assert_eq!(query.all(key).collect::<Vec<_>>(), values, "{key:?}");
        assert_eq!(query.get(key).ok(), (values.len() == 1).then_some(Some(values[0])), "{key:?}");
    }

    let appended = Query::parse(&format!("{raw}&encoded={}", utf8_percent_encode(raw, NON_ALPHANUMERIC)));
    assert_eq!(appended.all("encoded").last(), Some(raw));
});
