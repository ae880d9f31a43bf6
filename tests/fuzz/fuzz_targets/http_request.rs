//! Whatever a client sends, every answer is well-formed, none is the registry's fault, and storage stays whole.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::http::play(bytes));
