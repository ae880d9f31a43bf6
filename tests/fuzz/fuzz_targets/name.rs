//! Repository names are what the specification's regular expression says, up to 255 characters.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{RepositoryName, limits::NAME_MAX_CHARS};

fuzz::grammar!(is_name, r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*");

fuzz_target!(|text: &str| {
    fuzz::check_text::<RepositoryName>(text, text.len() <= NAME_MAX_CHARS && is_name(text));
});
