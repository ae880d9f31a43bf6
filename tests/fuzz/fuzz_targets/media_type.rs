//! Media types are what RFC 6838, section 4.2, says; a header's parameters change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::MediaType;

fuzz::grammar!(
    is_media_type,
    "[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
);

fuzz_target!(|text: &str| {
    fuzz::check_text::<MediaType>(text, is_media_type(text));
    match MediaType::from_header(text) {
        Ok(media_type) => {
            assert!(text.contains(media_type.as_str()));
            assert_eq!(MediaType::from_header(&format!("\t{media_type} ; {text}")), Ok(media_type));
        }
        Err(refusal) => fuzz::check_refusal(&refusal),
    }
});
