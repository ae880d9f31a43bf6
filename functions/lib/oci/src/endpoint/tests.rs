//! Every endpoint by its path, and every way to be none.

use proptest::{collection, prelude::*};

use super::*;
use crate::{Algorithm, Tag};

fn name(text: &str) -> RepositoryName {
    RepositoryName::parse(text).unwrap()
}

fn tag(text: &str) -> Reference {
    Tag::parse(text).unwrap().into()
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"content")
}

fn id() -> UploadId {
    UploadId::parse("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap()
}

#[test]
fn every_endpoint_parses_from_its_own_path() {
    for name in
        ["a", "team/app", "manifests/latest", "tags/list", "x/blobs/uploads", "v2/referrers"].map(name)
    {
        for endpoint in [
            Endpoint::Base,
            Endpoint::Catalog,
            Endpoint::Manifest { name: name.clone(), reference: tag("list") },
            Endpoint::Manifest { name: name.clone(), reference: tag("uploads") },
            Endpoint::Manifest { name: name.clone(), reference: digest().into() },
            Endpoint::Blob { name: name.clone(), digest: digest() },
            Endpoint::Uploads { name: name.clone() },
            Endpoint::Upload { name: name.clone(), id: id() },
            Endpoint::TagList { name: name.clone() },
            Endpoint::Referrers { name: name.clone(), digest: digest() },
        ] {
            assert_eq!(Endpoint::parse(&endpoint.path()), Ok(endpoint.clone()), "{}", endpoint.path());
        }
    }
}

#[test]
fn paths_are_those_of_the_specification() {
    let manifest = Endpoint::Manifest { name: name("a/b"), reference: digest().into() };
    assert_eq!(manifest_path(&name("a/b"), &digest()), manifest.path());
    assert_eq!(manifest.path(), format!("/v2/a/b/manifests/{}", digest()));
    assert_eq!(blob_path(&name("a/b"), &digest()), format!("/v2/a/b/blobs/{}", digest()));
    assert_eq!(upload_path(&name("a/b"), &id()), format!("/v2/a/b/blobs/uploads/{}", id()));
}

#[test]
fn other_spellings_of_an_endpoint_are_understood() {
    let encoded = format!("/v2/a/blobs/{}", digest().as_str().replace(':', "%3a"));
    for (path, expected) in [
        ("/v2", Endpoint::Base),
        ("/v2/a/blobs/uploads", Endpoint::Uploads { name: name("a") }),
        ("/v2/a/manifests/v%31", Endpoint::Manifest { name: name("a"), reference: tag("v1") }),
        (
            "/v2/a/blobs/uploads/manifests/b",
            Endpoint::Manifest { name: name("a/blobs/uploads"), reference: tag("b") },
        ),
        (&encoded, Endpoint::Blob { name: name("a"), digest: digest() }),
    ] {
        assert_eq!(Endpoint::parse(path), Ok(expected), "{path}");
    }
}

#[test]
fn paths_of_no_endpoint_are_not_found() {
    let outside = ["", "/", "/v1/", "/v22", "v2/", "//v2/", "/V2/", "/%76%32/", "/v2x/a/tags/list"];
    let inside = "_catalog/ _catalog/list a a/ a/b/c .. ../v2/ tags/list manifests/latest blobs/uploads/ uploads/x \
                  a/uploads/x a/tags a/tags/ a/tags/list/ a/tags/all a/manifest/latest a/manifests/latest/ \
                  a/blobs/uploads/x/ a%2Ftags%2Flist a/%6Danifests/latest";
    let inside = inside.split(' ').map(|path| format!("/v2/{path}"));
    for path in outside.map(str::to_owned).into_iter().chain(inside) {
        let path = path.as_str();
        assert_eq!(Endpoint::parse(path), Err(EndpointError::NotFound), "{path}");
    }
}

#[test]
fn bad_names_are_refused_as_names() {
    let too_long = "a".repeat(256);
    for bad in [
        "", "/", "A", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/./b", "a%2Fb", "a%2fb", "%61",
        "a%2e%2e", "%2e%2e", "a%00", "a\\b", "é", "a b", "_catalog", &too_long,
    ] {
        for rest in
            ["tags/list", "manifests/latest", "blobs/uploads/", "blobs/uploads/x", "blobs/x", "referrers/x"]
        {
            let parsed = Endpoint::parse(&format!("/v2/{bad}/{rest}"));
            assert!(matches!(parsed, Err(EndpointError::Name(_))), "{bad:?} {rest}: {parsed:?}");
        }
    }
}

#[test]
fn bad_last_segments_are_refused_by_what_they_should_be() {
    for bad in
        ["", ".", "..", ".a", "a%2Fb", "a%252Fb", "%00", "%ff", "%2e%2e", "a b", "sha256%3A", "sha256:abc"]
    {
        let manifest = Endpoint::parse(&format!("/v2/a/manifests/{bad}"));
        assert!(matches!(manifest, Err(EndpointError::Reference(_))), "{bad:?}: {manifest:?}");
        let blob = Endpoint::parse(&format!("/v2/a/blobs/{bad}"));
        assert!(matches!(blob, Err(EndpointError::Digest(_))), "{bad:?}: {blob:?}");
        let referrers = Endpoint::parse(&format!("/v2/a/referrers/{bad}"));
        assert!(matches!(referrers, Err(EndpointError::Digest(_))), "{bad:?}: {referrers:?}");
        let upload = Endpoint::parse(&format!("/v2/a/blobs/uploads/{bad}"));
        let is_uploads = matches!(upload, Ok(Endpoint::Uploads { .. }));
        assert!(matches!(upload, Err(EndpointError::Upload(_))) || (bad.is_empty() && is_uploads), "{bad:?}");
    }
}

proptest! {
    #[test]
    fn whatever_parses_has_a_path_that_parses_to_the_same(
        segments in collection::vec("a|b_c|blobs|uploads|manifests|tags|list|referrers|_catalog|%3A|", 0..7)
    ) {
        if let Ok(endpoint) = Endpoint::parse(&format!("/v2/{}", segments.join("/"))) {
            prop_assert_eq!(Endpoint::parse(&endpoint.path()), Ok(endpoint));
        }
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = Endpoint::parse(&text);
        let _ = Endpoint::parse(&format!("/v2/a/manifests/{text}"));
    }
}
