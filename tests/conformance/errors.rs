//! Error codes and warnings: what a refusal looks like, whatever was refused.

use reqwest::Method;
use serde_json::Value;

use crate::client::{Repository, Request};
use crate::content::{IMAGE, fresh_bytes, unknown_digest};
use crate::reply::Reply;

cases! { "Error Codes":
    Must json_errors_have_the_format,
    Must code_is_upper_case,
    Must code_is_one_of_the_table,
    Should message_is_readable,
    Slipway every_error_is_json,
    Slipway upload_errors_name_the_upload,
    Should method_that_is_not_allowed_is_405,
    Slipway unknown_endpoint_is_404,
    Must warnings_have_the_format,
}

/// The table of the specification, then what "Legacy Docker support error codes" adds.
const CODES: [&str; 16] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
    "TAG_INVALID",
    "MANIFEST_UNVERIFIED",
];

/// Error codes: "If the response body is in JSON format, it MUST have the following format": `errors`, a list
/// of objects with a `code`.
fn json_errors_have_the_format(repository: &Repository<'_>) {
    for refusal in refusals(repository).into_iter().filter(is_json) {
        let body = refusal.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors in {refusal}"));
        assert!(!errors.is_empty() && errors.iter().all(|error| error["code"].is_string()), "{refusal}");
    }
}

/// Error codes: "The `code` field MUST be a unique identifier, containing only uppercase alphabetic
/// characters and underscores."
fn code_is_upper_case(repository: &Repository<'_>) {
    for refusal in refusals(repository).into_iter().filter(is_json) {
        let is_allowed = |letter: char| letter.is_ascii_uppercase() || letter == '_';
        assert!(refusal.error_codes().iter().all(|code| code.chars().all(is_allowed)), "{refusal}");
    }
}

/// Error codes: "The `code` field MUST be one of the following".
fn code_is_one_of_the_table(repository: &Repository<'_>) {
    for refusal in refusals(repository).into_iter().filter(is_json) {
        assert!(refusal.error_codes().iter().all(|code| CODES.contains(&code.as_str())), "{refusal}");
    }
}

/// Error codes: "The `message` field is OPTIONAL, and if present, it SHOULD be a human readable string or MAY
/// be empty."
fn message_is_readable(repository: &Repository<'_>) {
    for refusal in refusals(repository).into_iter().filter(is_json) {
        let body = refusal.json();
        let is_readable = |error: &Value| error.get("message").is_none_or(Value::is_string);
        assert!(body["errors"].as_array().unwrap().iter().all(is_readable), "{refusal}");
    }
}

/// Error codes: Docker and skopeo show the message of an OCI error, and of other bodies that they could not
/// parse them.
fn every_error_is_json(repository: &Repository<'_>) {
    for refusal in refusals(repository) {
        let refusal = refusal.expect_header("Content-Type", "application/json");
        assert!(!refusal.first_message().is_empty(), "{refusal}");
    }
}

/// Error codes, code-3, end-5, end-6, end-13 and end-14: an id that no session can have is an unknown
/// session.
fn upload_errors_name_the_upload(repository: &Repository<'_>) {
    for id in ["0", "..%2F..%2Fetc", "not-a-session", "%00", "ZZZZZZZZZZZZZZZZZZZZZZZZZZ"] {
        for method in [Method::GET, Method::PATCH, Method::DELETE] {
            repository
                .request(method, &format!("blobs/uploads/{id}"))
                .expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
}

/// API: RFC 9110 (section 15.5.6): a method that the endpoint does not have is 405, with those that it has in
/// `Allow`.
fn method_that_is_not_allowed_is_405(repository: &Repository<'_>) {
    repository.push_image("latest");
    for (method, rest) in [
        (Method::PUT, "tags/list"),
        (Method::DELETE, "tags/list"),
        (Method::POST, "manifests/latest"),
        (Method::PATCH, "manifests/latest"),
        (Method::PUT, "blobs/uploads/"),
    ] {
        let reply = repository.request(method.clone(), rest).expect(405);
        assert!(!reply.header_list("Allow").contains(&method.as_str()), "{reply}");
        assert!(reply.header_list("Allow").contains(&"GET") || rest == "blobs/uploads/", "{reply}");
    }
}

/// API: a path that is no endpoint is not found, and its refusal looks like the others.
fn unknown_endpoint_is_404(repository: &Repository<'_>) {
    for rest in ["", "tags", "tags/", "tags/list/", "blobs", "blobs/", "manifests/", "unknown/endpoint"] {
        let reply = repository.get(rest).send().expect_one_of(&[400, 404]);
        assert_eq!(reply.error_codes().len(), 1, "{reply}");
    }
    let reply = repository.registry.get("/v2/_unknown").send().expect_one_of(&[400, 404]);
    assert_eq!(reply.error_codes().len(), 1, "{reply}");
}

/// Warnings: "If included, `Warning` headers MUST specify a `warn-code` of `299` and a `warn-agent` of `-`,
/// and MUST NOT specify a `warn-date` value", and not "more than 4096 bytes of warning data from all headers
/// combined".
fn warnings_have_the_format(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let mut replies = refusals(repository);
    replies.push(repository.registry.get("/v2/").expect(200));
    replies.push(repository.pull_manifest("latest").expect(200));
    replies.push(repository.put_by_digest(&image).expect(201));
    replies.push(repository.get("tags/list").expect(200));
    for reply in replies {
        let warnings = reply.header_lines("Warning");
        let is_formed = |line: &&str| line.starts_with("299 - \"") && line.ends_with('"');
        assert!(warnings.iter().all(is_formed), "{reply}");
        assert!(warnings.iter().map(|line| line.len()).sum::<usize>() <= 4096, "{reply}");
    }
}

/// Returns one refusal of each kind that a client can provoke.
fn refusals(repository: &Repository<'_>) -> Vec<Reply> {
    let blob = repository.push_blob(&fresh_bytes(16));
    repository.push_image("latest");
    let put = |reference: &str, body: &[u8]| {
        let request = repository.request(Method::PUT, &format!("manifests/{reference}"));
        request.header("Content-Type", IMAGE).body(body)
    };
    let upload = repository.start_upload();
    let requests: Vec<Request> = vec![
        repository.get(&format!("blobs/{}", unknown_digest())),
        repository.get("blobs/sha256:0123"),
        repository.get(&format!("blobs/{blob}")).header("Range", "bytes=1000-"),
        repository.get("manifests/another"),
        repository.get(&format!("manifests/{}", unknown_digest())),
        repository.get("manifests/-bad"),
        repository.get("tags/list?n=x"),
        repository.get("referrers/sha256:0123"),
        repository.sibling("-unknown").get("tags/list"),
        repository.sibling("-Invalid").get("tags/list"),
        repository.delete("manifests/another"),
        repository.delete(&format!("blobs/{}", unknown_digest())),
        repository.request(Method::PUT, "tags/list"),
        repository.get("blobs/uploads/00000000-0000-4000-8000-000000000000"),
        put("latest", b"not json"),
        put(&unknown_digest(), b"{}"),
        upload.request(Method::PATCH).header("Content-Range", "5-9").body(b"hello"),
        upload.request(Method::PATCH).header("Content-Range", "0-9").body(b"hello"),
        upload.request(Method::PATCH).header("Content-Range", "five").body(b"hello"),
        upload.closing_request(&unknown_digest()).body(b"hello"),
        upload.closing_request("sha256").body(b"hello"),
    ];
    let replies: Vec<Reply> = requests.into_iter().map(Request::send).collect();
    replies.into_iter().filter(|reply| reply.status >= 400).collect()
}

fn is_json(reply: &Reply) -> bool {
    reply
        .optional_header("Content-Type")
        .is_some_and(|content_type| content_type.starts_with("application/json"))
}
