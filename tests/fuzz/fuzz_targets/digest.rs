//! A digest has exactly one spelling, and its parts are its text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Algorithm, Digest};

fuzz::grammar!(is_digest, "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}");

fuzz_target!(|text: &str| {
    fuzz::check_text::<Digest>(text, is_digest(text));
    fuzz::check_text::<Algorithm>(text, matches!(text, "sha256" | "sha512"));
    if let Ok(digest) = Digest::parse(text) {
        assert_eq!(format!("{}:{}", digest.algorithm(), digest.hex()), text);
    }
});
