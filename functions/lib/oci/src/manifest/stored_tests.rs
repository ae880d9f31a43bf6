//! What was accepted before is read, whatever is refused by now.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::tests::{LAYER, descriptor, image, index, parse, with};
use super::*;

const FOREIGN: &str = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip";

fn read(manifest: &Value) -> Manifest {
    Manifest::read(manifest.to_string().as_bytes(), None).unwrap()
}

/// Manifests that contradict themselves, or that could be understood otherwise, and what they are otherwise.
fn refused_by_now() -> Vec<(Value, Value)> {
    let child = index()["manifests"][0].clone();
    let listed = |second: Value| with(index(), "/manifests", json!([child, second]));
    vec![
        (listed(with(child.clone(), "/size", json!(20))), index()),
        (listed(with(child.clone(), "/mediaType", json!(MediaType::DOCKER_MANIFEST))), index()),
        (with(image(), "/Layers", json!([])), image()),
        (with(image(), "/config/Digest", json!("other")), image()),
        (with(image(), "/layers/0/data", json!("not even base64")), image()),
        (with(image(), "/schemaVersion", json!(3)), image()),
        (with(image(), "/manifests", json!([])), image()),
    ]
}

#[test]
fn what_is_refused_by_now_is_read_as_it_was() {
    for (older, plain) in refused_by_now() {
        assert!(parse(&older).is_err(), "{older}");
        assert_eq!(Ok(read(&older)), parse(&plain), "{older}");
    }
}

#[test]
fn what_is_accepted_is_read_alike() {
    let annotated = with(image(), "/annotations", json!({"a": "1"}));
    let subject = descriptor(MediaType::OCI_MANIFEST.as_str(), "subject");
    let cache = with(index(), "/manifests/0", descriptor(LAYER, "layer"));
    for manifest in [image(), index(), annotated, with(image(), "/subject", subject), cache] {
        assert_eq!(Ok(read(&manifest)), parse(&manifest));
    }
}

#[test]
fn what_is_larger_than_a_push_may_be_is_read() {
    let layers = vec![descriptor(LAYER, "first"); crate::limits::MANIFEST_MAX_DESCRIPTORS + 1];
    assert_eq!(read(&with(image(), "/layers", json!(layers))).references.len(), 2);
    let padded = format!("{}{}", image(), " ".repeat(MANIFEST_MAX_BYTES));
    assert_eq!(Manifest::read(padded.as_bytes(), None), parse(&image()));
}

#[test]
fn whatever_its_type_lets_be_kept_elsewhere_may_be_missing() {
    for (manifest, pointer, at) in [
        (image(), "/config/mediaType", 0),
        (image(), "/layers/0/mediaType", 1),
        (index(), "/manifests/0/mediaType", 0),
    ] {
        assert!(read(&with(manifest, pointer, json!(FOREIGN))).references[at].may_be_missing, "{pointer}");
    }
    assert!(!read(&image()).references.iter().any(|target| target.may_be_missing));
}

#[test]
fn it_is_of_the_type_under_which_it_was_stored() {
    let (bytes, docker) = (image().to_string(), MediaType::DOCKER_MANIFEST);
    let of = |media_type: &MediaType| Manifest::read(bytes.as_bytes(), Some(media_type)).unwrap().media_type;
    assert_eq!(of(&docker), docker);
    assert_eq!(of(&MediaType::OCTET_STREAM), MediaType::OCI_MANIFEST);
}

#[test]
fn what_never_was_a_manifest_is_none() {
    for bytes in [&b""[..], b"{}", b"[]", b"\xff", b"{\"layers\":[{}],\"config\":{}}"] {
        assert!(Manifest::read(bytes, Some(&MediaType::OCI_MANIFEST)).is_err());
    }
}

proptest! {
    #[test]
    fn any_change_that_is_accepted_is_read_alike(position in 0_usize..400, byte in any::<u8>()) {
        for manifest in [image(), index()] {
            let mut bytes = manifest.to_string().into_bytes();
            let position = position % bytes.len();
            bytes[position] = byte;
            if let Ok(accepted) = Manifest::parse(&bytes, None) {
                prop_assert_eq!(Manifest::read(&bytes, Some(&accepted.media_type)), Ok(accepted));
            }
        }
    }
}
