//! A reference is a tag or a digest, and no text is both.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Digest, Reference, Tag};

fuzz_target!(|text: &str| {
    let (tag, digest) = (Tag::parse(text).ok(), Digest::parse(text).ok());
    assert!(tag.is_none() || digest.is_none(), "a tag and a digest: {text:?}");
    fuzz::check_text::<Reference>(text, tag.is_some() || digest.is_some());
    let either = tag.map(Reference::from).or(digest.map(Reference::from));
    assert_eq!(Reference::parse(text).ok(), either);
});
