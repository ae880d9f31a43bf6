//! An endpoint's own path leads to it again and needs no encoding; no path leaves `/v2`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::Endpoint;

fuzz::grammar!(is_plain_path, r"/v2/[a-zA-Z0-9:._/-]*");

fuzz_target!(|path: &str| match Endpoint::parse(path) {
    Ok(endpoint) => {
        let own = endpoint.path();
        assert!(path.starts_with("/v2") && is_plain_path(&own), "{path:?} became {own:?}");
        assert!(own.split('/').all(|segment| !matches!(segment, "." | "..")), "{path:?} became {own:?}");
        assert_eq!(Endpoint::parse(&own), Ok(endpoint), "{path:?} became {own:?}");
    }
    Err(refusal) => fuzz::check_refusal(&refusal),
});
