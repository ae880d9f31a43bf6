//! A content range is in order, never empty, and means the same in both of its spellings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::ContentRange;

fuzz::grammar!(has_the_form, r"[0-9]+-[0-9]+|bytes [0-9]+-[0-9]+/([0-9]+|\*)");

fuzz_target!(|value: &str| match ContentRange::parse(value) {
    Ok(range) => {
        assert!(has_the_form(value), "{value:?}");
        assert!(range.start <= range.end_inclusive && range.len() > 0, "{range:?}");
        let plain = format!("{}-{}", range.start, range.end_inclusive);
        for same in [format!("bytes {plain}/*"), plain] {
            assert_eq!(ContentRange::parse(&same), Ok(range), "{same:?}");
        }
    }
    Err(refusal) => fuzz::check_refusal(&refusal),
});
