//! What the registry holds before the corpus: two repositories with images, an index, a referrer and open uploads.

use test_support::content::{noise, sha256};

use crate::client::{Outcome, Reply, ask};
use crate::request::{AUTHORIZATION, Request};
use crate::words::Words;

const IMAGE: &str = r#"{"schemaVersion":2,"mediaType":"<oci-image>",<config-field>,<layers-field>}"#;
const CHILD: &str = r#"{"schemaVersion":2,"mediaType":"<oci-image>",<config-field>,"layers":[]}"#;
const INDEX: &str = r#"{"schemaVersion":2,"mediaType":"<oci-index>",<manifests-field>}"#;
const REFERRER: &str = r#"{"schemaVersion":2,"mediaType":"<oci-image>","artifactType":"application/x-note",
    <config-field>,"layers":[],"subject":<image-descriptor>}"#;
const SECRET_IMAGE: &str = r#"{"schemaVersion":2,"mediaType":"<oci-image>",
    "config":{"mediaType":"application/x-secret","digest":"<secret>","size":500},"layers":[]}"#;

/// Size of the layer of the baseline's image.
pub(crate) const LAYER_BYTES: usize = 1000;

/// Pushes the baseline to the registry at `address` and returns the words that stand for it.
pub(crate) fn push(address: &str, authorization: Option<&str>) -> Words {
    let mut words = Words::default();
    if let Some(authorization) = authorization {
        words.set(AUTHORIZATION, authorization);
    }
    for (word, value) in [
        ("host", address),
        ("name", "hostile/app"),
        ("other", "hostile/other"),
        ("oci-image", "application/vnd.oci.image.manifest.v1+json"),
        ("oci-index", "application/vnd.oci.image.index.v1+json"),
        ("version", r#""schemaVersion":2"#),
        ("absent", &sha256(b"nobody has this")),
        ("absent-descriptor", r#"{"mediaType":"application/x-layer","digest":"<absent>","size":15}"#),
        ("absent-image-descriptor", r#"{"mediaType":"<oci-image>","digest":"<absent>","size":15}"#),
    ] {
        words.set(word, value);
    }
    push_app(&mut words);
    push_other(&mut words);
    words
}

fn push_app(words: &mut Words) {
    push_blob(words, "<name>", "config", b"{}");
    push_blob(words, "<name>", "layer", &noise(1, LAYER_BYTES));
    let layer_hex = words.get("layer").trim_start_matches("sha256:").to_owned();
    words.set("layer-hex", &layer_hex);
    words.set("layer-upper", &format!("sha256:{}", layer_hex.to_uppercase()));
    words.set("config-descriptor", r#"{"mediaType":"application/x-config","digest":"<config>","size":2}"#);
    words.set("layer-descriptor", r#"{"mediaType":"application/x-layer","digest":"<layer>","size":1000}"#);
    words.set("layer-as-image-descriptor", r#"{"mediaType":"<oci-image>","digest":"<layer>","size":1000}"#);
    words.set("config-field", r#""config":<config-descriptor>"#);
    words.set("layers-field", r#""layers":[<layer-descriptor>]"#);
    push_manifest(words, "<name>", "image", IMAGE, &["latest", "v1", "v2"]);
    words.set(
        "image-as-layer-descriptor",
        r#"{"mediaType":"application/x-layer","digest":"<image>","size":5}"#,
    );
    push_manifest(words, "<name>", "child", CHILD, &[]);
    words.set("manifests-field", r#""manifests":[<child-descriptor>]"#);
    push_manifest(words, "<name>", "index", INDEX, &["index"]);
    push_manifest(words, "<name>", "referrer", REFERRER, &[]);
    words.set("open", &open_upload(words, "<name>"));
    words.set("open-id", words.get("open").rsplit('/').next().unwrap().to_owned().as_str());
}

fn push_other(words: &mut Words) {
    push_blob(words, "<other>", "secret", &noise(2, 500));
    words.set("secret-descriptor", r#"{"mediaType":"application/x-layer","digest":"<secret>","size":500}"#);
    push_manifest(words, "<other>", "secret-image", SECRET_IMAGE, &["latest"]);
    words.set("foreign", &open_upload(words, "<other>"));
    words.set("foreign-id", words.get("foreign").rsplit('/').next().unwrap().to_owned().as_str());
}

fn push_blob(words: &mut Words, name: &str, word: &str, bytes: &[u8]) {
    words.set(word, &sha256(bytes));
    let line = format!("PUT {}?digest=<{word}>", start_upload(words, name));
    call(words, &Request::new(line).with_body(bytes), 201);
}

/// Pushes a manifest by digest and under `tags`, and sets `<word>` to its digest, `<word-descriptor>`, `<word-body>`.
fn push_manifest(words: &mut Words, name: &str, word: &str, template: &str, tags: &[&str]) {
    let body = words.fill_text(template);
    let media_type = if word == "index" { "<oci-index>" } else { "<oci-image>" };
    let (digest, size) = (sha256(body.as_bytes()), body.len());
    words.set(word, &digest);
    words.set(&format!("{word}-body"), &body);
    let descriptor = format!(r#"{{"mediaType":"{media_type}","digest":"<{word}>","size":{size}}}"#);
    words.set(&format!("{word}-descriptor"), &descriptor);
    for reference in [digest.as_str()].iter().chain(tags) {
        let put = Request::new(format!("PUT /v2/{name}/manifests/{reference}"));
        call(words, &put.with_header(format!("Content-Type: {media_type}")).with_body(body.as_str()), 201);
    }
}

/// Opens an upload in the repository `name`, sends it ten bytes and returns its path.
pub(crate) fn open_upload(words: &Words, name: &str) -> String {
    let location = start_upload(words, name);
    let chunk = Request::new(format!("PATCH {location}")).with_body("0123456789");
    path(&call(words, &chunk, 202))
}

/// Opens an upload in the repository `name` and returns its path.
pub(crate) fn start_upload(words: &Words, name: &str) -> String {
    path(&call(words, &Request::new(format!("POST /v2/{name}/blobs/uploads/")), 202))
}

/// Sends a sound request and returns its reply, which must have `status`.
pub(crate) fn call(words: &Words, request: &Request, status: u16) -> Reply {
    let bytes = request.encode(words);
    let line = String::from_utf8_lossy(bytes.split(|byte| *byte == b'\r').next().unwrap()).into_owned();
    let Outcome::Reply(reply) = ask(request, words, false) else { panic!("{line}: no reply") };
    let body = String::from_utf8_lossy(&reply.body);
    assert_eq!(reply.status, status, "{line}: {body}");
    reply
}

/// An edge's query is an offer to go past the functions, which the corpus does not take.
fn path(reply: &Reply) -> String {
    reply.header("Location").unwrap().split('?').next().unwrap().to_owned()
}
