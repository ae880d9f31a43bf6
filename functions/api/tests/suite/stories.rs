//! Whole pushes and pulls by every source: what arrives is what was sent, to the byte.

use serde_json::{Value, json};

use crate::pushing::{LAYER, LAYER_DIGEST, MANIFEST_TYPE, manifest, push_layer, put_manifest};
use crate::source::{SOURCES, Sent};
use crate::world::World;

/// A type with a plus in its name.
const NOTE_TYPE: &str = "application/vnd.example+json";

#[tokio::test]
async fn every_source_carries_a_push_and_a_pull() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let manifest = manifest(&json!({}));
        let digest = put_manifest(&world, source, "1.0", &manifest, false).await;

        let pulled =
            world.ask(&Sent::new("GET", "/v2/team/app/manifests/1.0").event(source)).await.expect(200);
        assert_eq!(pulled.body, manifest, "{source}");
        assert_eq!(pulled.header("content-type"), MANIFEST_TYPE, "{source}");
        assert_eq!(pulled.header("docker-content-digest"), digest, "{source}");
        assert!(!pulled.is_base64, "{source}: small text travels as it is");

        let blob = format!("/v2/team/app/blobs/{LAYER_DIGEST}");
        let pulled = world.ask(&Sent::new("GET", &blob).event(source)).await.expect(200);
        assert_eq!((pulled.body.as_slice(), pulled.is_base64), (LAYER, true), "{source}");
    }
}

/// What it says is twice as long as text of an event, and too long for one.
#[tokio::test]
async fn a_large_manifest_full_of_quotation_marks_can_be_pulled() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let manifest = manifest(&json!({ "annotations": { "quoted": "\"".repeat(2_000_000) } }));
        put_manifest(&world, source, "1.0", &manifest, true).await;
        let get = Sent::new("GET", "/v2/team/app/manifests/1.0");
        let pulled = world.ask(&get.event(source)).await.expect(200);
        assert!(pulled.is_base64, "{source}: text would be twice as long");
        assert_eq!(pulled.body, manifest, "{source}");
    }
}

#[tokio::test]
async fn parts_of_a_manifest_are_its_bytes_wherever_they_begin() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let manifest = manifest(&json!({ "annotations": { "words": "né\u{feff}x" } }));
        put_manifest(&world, source, "1.0", &manifest, true).await;
        for start in 0..manifest.len() {
            let end = (start + 2).min(manifest.len() - 1);
            let range = format!("bytes={start}-{end}");
            let headers = [("range", range.as_str())];
            let get = Sent { headers: &headers, ..Sent::new("GET", "/v2/team/app/manifests/1.0") };
            let part = world.ask(&get.event(source)).await.expect(206);
            assert_eq!(part.body, manifest[start..=end], "{source} {range}");
        }
    }
}

#[tokio::test]
async fn every_answer_says_that_nothing_but_tls_is_spoken() {
    for source in SOURCES {
        let world = World::new();
        for (method, path) in
            [("GET", "/v2/"), ("GET", "/v2/Bad/tags/list"), ("POST", "/v2/"), ("GET", "/token")]
        {
            let reply = world.ask(&Sent::new(method, path).event(source)).await;
            assert_eq!(reply.header("strict-transport-security"), "max-age=31536000", "{source} {path}");
        }
    }
}

#[tokio::test]
async fn a_head_tells_the_length_though_it_has_no_body() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let blob = format!("/v2/team/app/blobs/{LAYER_DIGEST}");
        let head = world.ask(&Sent::new("HEAD", &blob).event(source)).await.expect(200);
        assert_eq!((head.header("content-length"), head.body.as_slice()), ("5", &b""[..]), "{source}");
    }
}

#[tokio::test]
async fn a_body_is_the_same_as_text_and_as_base64() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let manifest = manifest(&json!({}));
        let as_text = put_manifest(&world, source, "text", &manifest, true).await;
        let as_base64 = put_manifest(&world, source, "base64", &manifest, false).await;
        assert_eq!(as_text, as_base64, "{source}");
    }
}

/// A gateway takes bytes for text by their type, and what is no UTF-8 then becomes three bytes each.
#[tokio::test]
async fn text_that_is_not_what_was_sent_is_refused_and_the_session_goes_on() {
    for source in SOURCES {
        let world = World::new();
        let begin = Sent::new("POST", "/v2/team/app/blobs/uploads/");
        let location = world.ask(&begin.event(source)).await.expect(202).header("location").to_owned();
        // Of the second the length stays: three bytes of a character that has four become one of three.
        for sent in [LAYER, b"\xf0\x9f\x98".as_slice()] {
            let damaged = String::from_utf8_lossy(sent);
            let sent_length = sent.len().to_string();
            let headers = [("content-type", "text/plain"), ("content-length", sent_length.as_str())];
            let patch = Sent {
                headers: &headers,
                body: damaged.as_bytes(),
                is_text: true,
                ..Sent::to("PATCH", &location)
            };
            let refused = world.ask(&patch.event(source)).await.expect(400);
            let (code, message) = refused.error();
            assert_eq!(code, "SIZE_INVALID", "{source}");
            assert!(message.contains("application/octet-stream"), "{source}: {message}");
        }

        let octets = Sent { body: LAYER, ..Sent::to("PATCH", &location) };
        let taken = world.ask(&octets.event(source)).await.expect(202);
        assert_eq!(taken.header("range"), "0-4", "{source}");
    }
}

#[tokio::test]
async fn a_path_means_the_same_encoded_and_decoded() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let digest = put_manifest(&world, source, "1.0", &manifest(&json!({})), false).await;
        for written in [digest.clone(), digest.replace(':', "%3A"), digest.replace(':', "%3a")] {
            let path = format!("/v2/team/app/manifests/{written}");
            let found = world.ask(&Sent::new("HEAD", &path).event(source)).await.expect(200);
            assert_eq!(found.header("docker-content-digest"), digest, "{source}: {path}");
        }
    }
}

/// The plus of `+json` must not become a space, encoded or not.
#[tokio::test]
async fn a_parameter_means_the_same_encoded_and_as_it_is() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let subject = put_manifest(&world, source, "1.0", &manifest(&json!({})), false).await;
        let size = manifest(&json!({})).len();
        let subject_descriptor = json!({ "mediaType": MANIFEST_TYPE, "digest": subject, "size": size });
        let note = manifest(&json!({ "artifactType": NOTE_TYPE, "subject": subject_descriptor }));
        let note = put_manifest(&world, source, "note", &note, false).await;
        let encoded = NOTE_TYPE.replace('/', "%2F").replace('+', "%2B");
        for (written, expected) in [(NOTE_TYPE, 1), (&encoded, 1), ("application%2Fvnd.other%2Bjson", 0)] {
            let path = format!("/v2/team/app/referrers/{subject}");
            let query = format!("artifactType={written}");
            let list = Sent { query: &query, ..Sent::new("GET", &path) };
            let list = world.ask(&list.event(source)).await.expect(200);
            let list: Value = serde_json::from_slice(&list.body).unwrap();
            let found = list["manifests"].as_array().unwrap();
            assert_eq!(found.len(), expected, "{source}: {query}");
            assert!(found.iter().all(|one| one["digest"] == json!(note)), "{source}: {list}");
        }
    }
}

#[tokio::test]
async fn a_parameter_that_stands_twice_stands_twice() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let manifest = manifest(&json!({}));
        let headers = [("content-type", MANIFEST_TYPE)];
        let put =
            Sent { query: "tag=one&tag=two", headers: &headers, body: &manifest, ..Sent::new("PUT", "") };
        let digest = put_manifest(&world, source, "1.0", &manifest, false).await;
        let path = format!("/v2/team/app/manifests/{digest}");
        world.ask(&Sent { path: &path, ..put }.event(source)).await.expect(201);
        let tags = world.ask(&Sent::new("GET", "/v2/team/app/tags/list").event(source)).await.expect(200);
        let tags: Value = serde_json::from_slice(&tags.body).unwrap();
        assert_eq!(tags["tags"], json!(["1.0", "one", "two"]), "{source}");
    }
}

/// Gateways join what a client repeated with commas; a list means the same as its parts.
#[tokio::test]
async fn a_repeated_header_joined_into_one_is_a_list() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        let digest = put_manifest(&world, source, "1.0", &manifest(&json!({})), false).await;
        for (tags, expected) in
            [(format!("\"other\",\"{digest}\""), 304), ("\"other\",\"more\"".to_owned(), 200)]
        {
            let headers = [("if-none-match", tags.as_str())];
            let get = Sent { headers: &headers, ..Sent::new("GET", "/v2/team/app/manifests/1.0") };
            world.ask(&get.event(source)).await.expect(expected);
        }
    }
}

#[tokio::test]
async fn a_page_of_a_list_links_to_the_next() {
    for source in SOURCES {
        let world = World::new();
        push_layer(&world, source).await;
        for tag in ["a", "b", "c"] {
            put_manifest(&world, source, tag, &manifest(&json!({})), false).await;
        }
        let first = Sent { query: "n=2", ..Sent::new("GET", "/v2/team/app/tags/list") };
        let first = world.ask(&first.event(source)).await.expect(200);
        let next = first.header("link").split(['<', '>']).nth(1).unwrap();
        let second = world.ask(&Sent::to("GET", next).event(source)).await.expect(200);
        let second: Value = serde_json::from_slice(&second.body).unwrap();
        assert_eq!(second["tags"], json!(["c"]), "{source}");
    }
}

/// A panic of the function would be a 500 of the gateway.
#[tokio::test]
async fn what_is_no_path_or_no_query_is_answered_too() {
    for source in SOURCES {
        for (path, status) in
            [("/v2/team/app/manifests/a b", 400), ("/v2/team/ä/tags/list", 400), ("", 404), ("v2", 200)]
        {
            let get = Sent { query: "n=1&last=a b\"<ü", ..Sent::new("GET", path) };
            let reply = World::new().ask(&get.event(source)).await;
            assert_eq!(reply.status, status, "{source}: {path:?} {reply:?}");
        }
    }
}
