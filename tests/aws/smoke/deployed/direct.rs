//! Faults on the way of a layer past the functions.

use cloud::{Changes, Cloud};

use super::Row;
use crate::checks::{
    ADOPTED, ADOPTED_TWICE, CHANGED_URL, DIRECT, DIRECT_LARGE, DIRECT_LENGTH, DIRECT_LOGGED_IN, LARGE,
    OWN_UPLOAD, REPEATED,
};
use crate::deployed::edge::coded;

/// What does not hold when no direct PUT is answered 201.
const NO_PUT: &[&str] = &[DIRECT, DIRECT_LOGGED_IN, DIRECT_LARGE, ADOPTED, ADOPTED_TWICE, REPEATED];

/// What does not hold when the 201 is not that of the specification.
const POOR_ANSWER: &[&str] = &[DIRECT, DIRECT_LOGGED_IN, DIRECT_LARGE];

pub(crate) const ROWS: &[Row] = &[
    Row::essential("S3 refuses CloudFront's header", NO_PUT, |_| Changes {
        edge_flags: vec!["--cf-id-to-s3"],
        ..Changes::default()
    }),
    Row::essential("S3's 200 stays", NO_PUT, |_| {
        coded("isResponse ? finish(event.request, event.response)", "isResponse ? event.response")
    }),
    Row::essential("the digest header is missing", POOR_ANSWER, |_| {
        coded("response.headers['docker-content-digest'] = { value: blob[1] };", "")
    }),
    Row::essential("the Location leads to S3", POOR_ANSWER, |_| {
        coded("location = { value: blob[0] }", "location = { value: settings.uploadsPath + '1' }")
    }),
    Row::essential("S3 sees Authorization", &[DIRECT_LOGGED_IN], |_| {
        coded("/^(host|content-length|", "/^(authorization|host|content-length|")
    }),
    Row::essential("large PUTs go to API Gateway", &[DIRECT_LARGE], |_| {
        coded(
            "if (isChunked) return refuse(",
            "if (bytes > 4194304) return request;\n    if (isChunked) return refuse(",
        )
    }),
    Row::tolerable("chunked PUTs go to S3", &[DIRECT_LENGTH], |_| {
        coded("if (isChunked) return refuse(", "if (false) return refuse(")
    }),
    Row::essential("nobody looks at capabilities", &[OWN_UPLOAD, CHANGED_URL], |cloud| Changes {
        edge_code: coded("!isCapable(query, id)", "false").edge_code,
        ..by_capability(cloud)
    }),
    Row::essential("layers arrive where nobody looks", &[ADOPTED, ADOPTED_TWICE, REPEATED], |cloud| {
        Changes {
            edge_settings: vec![("uploadsPath", "/slipway-objects/elsewhere/".into())],
            ..by_capability(cloud)
        }
    }),
    Row {
        arguments: &["--user", "admin", "--large", "10MiB"],
        ..Row::essential("the edge takes no more than 9 MiB", &[LARGE], |_| Changes {
            edge_settings: vec![("directBytesMax", (9 << 20).into())],
            ..Changes::default()
        })
    },
];

/// `Uploads=capability`.
pub(crate) fn by_capability(cloud: &Cloud) -> Changes {
    let name = "ApiWriteFunction";
    let function = cloud.redeployed(name, &[("Uploads", "capability")]).unwrap();
    Changes { has_capability: true, functions: [(name, function)].into(), ..Changes::default() }
}
