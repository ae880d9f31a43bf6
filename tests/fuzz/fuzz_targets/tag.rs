//! Tags are what the specification's regular expression says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Tag;

fuzz::grammar!(is_tag, "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");

fuzz_target!(|text: &str| fuzz::check_text::<Tag>(text, is_tag(text)));
