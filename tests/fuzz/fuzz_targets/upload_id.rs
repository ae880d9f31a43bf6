//! Upload ids are letters, digits and hyphens, and so never a path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::UploadId;

fuzz::grammar!(is_upload_id, "[0-9a-zA-Z-]{1,64}");

fuzz_target!(|text: &str| fuzz::check_text::<UploadId>(text, is_upload_id(text)));
