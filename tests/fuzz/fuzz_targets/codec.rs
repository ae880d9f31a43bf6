//! What can be read from storage is written and read again unchanged; what cannot is an error, not a crash.
#![no_main]

use libfuzzer_sys::fuzz_target;
use registry::records::{decode, encode};

fuzz_target!(|bytes: &[u8]| match decode(bytes) {
    Ok((version, record)) => {
        let written = encode(&version, &record).unwrap();
        assert_eq!(decode(&written).unwrap(), (version, record));
    }
    Err(error) => assert!(!error.to_string().is_empty()),
});
