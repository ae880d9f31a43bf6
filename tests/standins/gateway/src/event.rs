//! The event, payload format 2.0, that a request becomes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::{GatewayOptions, Manners, Route};

/// A request that has found its route.
pub(crate) struct Call<'c> {
    pub(crate) parts: &'c Parts,
    pub(crate) body: &'c Bytes,
    pub(crate) path: String,
    pub(crate) route: &'c Route,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) source_ip: IpAddr,
    pub(crate) request_id: &'c str,
    pub(crate) now: DateTime<Utc>,
}

/// Headers between two neighbours: no function sees them.
const HOP_BY_HOP: &[HeaderName] =
    &[header::CONNECTION, header::TE, header::TRAILER, header::TRANSFER_ENCODING, header::UPGRADE];

/// The types whose bodies are passed as text; all others, and bodies without a type, are base64.
///
/// AWS documents only that binary bodies are base64. This list, and `text/*`, were seen on AWS in 2026
/// (github.com/ministackorg/ministack pull request 766); forms and `application/…+json` are base64.
const TEXT_TYPES: &[&str] = &["application/json", "application/xml", "application/javascript"];

/// Returns the event of a call.
pub(crate) fn event(call: &Call<'_>, options: &GatewayOptions) -> Value {
    let mut event = Map::new();
    event.insert("version".to_owned(), json!("2.0"));
    event.insert("routeKey".to_owned(), json!(call.route.key()));
    event.insert("rawPath".to_owned(), json!(call.path));
    event.insert("rawQueryString".to_owned(), json!(raw_query(call, options.manners)));
    event.insert("headers".to_owned(), json!(headers(call, options)));
    event.insert("requestContext".to_owned(), context(call, options));
    let cookies = cookies(&call.parts.headers);
    if !cookies.is_empty() {
        event.insert("cookies".to_owned(), json!(cookies));
    }
    if !query(call).is_empty() {
        event.insert("queryStringParameters".to_owned(), json!(joined_parameters(query(call))));
    }
    if !call.variables.is_empty() {
        event.insert("pathParameters".to_owned(), json!(call.variables));
    }
    insert_body(&mut event, call, options.manners);
    Value::Object(event)
}

fn query<'c>(call: &Call<'c>) -> &'c str {
    call.parts.uri.query().unwrap_or_default()
}

fn raw_query(call: &Call<'_>, manners: Manners) -> String {
    if manners.decode_query {
        percent_decode_str(query(call)).decode_utf8_lossy().into_owned()
    } else {
        query(call).to_owned()
    }
}

/// Repeated parameters are joined with commas.
fn joined_parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        join(&mut parameters, &name, &value);
    }
    parameters
}

/// Names are lower-cased, repeated headers joined with commas, cookies left to their own list.
fn headers(call: &Call<'_>, options: &GatewayOptions) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    for (name, value) in &call.parts.headers {
        if name != header::COOKIE && !HOP_BY_HOP.contains(name) {
            join(&mut headers, name.as_str(), &text(value));
        }
    }
    if let Some(authorization) = &options.authorization {
        headers.entry("authorization".to_owned()).or_insert_with(|| authorization.clone());
    }
    if !call.body.is_empty() {
        headers.insert("content-length".to_owned(), call.body.len().to_string());
    }
    join(&mut headers, "x-forwarded-for", &call.source_ip.to_string());
    headers.insert("x-forwarded-proto".to_owned(), options.forwarded_proto.clone());
    headers.insert("x-forwarded-port".to_owned(), port(call, options));
    let seconds = call.now.timestamp();
    headers.insert("x-amzn-trace-id".to_owned(), format!("Root=1-{seconds:08x}-{:0>24}", call.request_id));
    headers
}

fn port(call: &Call<'_>, options: &GatewayOptions) -> String {
    let default = if options.forwarded_proto == "https" { "443" } else { "80" };
    host(&call.parts.headers).rsplit_once(':').map_or(default, |(_, port)| port).to_owned()
}

fn context(call: &Call<'_>, options: &GatewayOptions) -> Value {
    let domain_name = options.domain_name.clone().unwrap_or_else(|| host(&call.parts.headers));
    let user_agent = call.parts.headers.get(header::USER_AGENT).map(text).unwrap_or_default();
    json!({
        "accountId": "123456789012",
        "apiId": "standin",
        "domainPrefix": domain_name.split('.').next(),
        "domainName": domain_name,
        "http": {
            "method": call.parts.method.as_str(),
            "path": call.path,
            "protocol": format!("{:?}", call.parts.version),
            "sourceIp": call.source_ip.to_string(),
            "userAgent": user_agent,
        },
        "requestId": call.request_id,
        "routeKey": call.route.key(),
        "stage": "$default",
        "time": call.now.format("%d/%b/%Y:%H:%M:%S %z").to_string(),
        "timeEpoch": call.now.timestamp_millis(),
    })
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::COOKIE).iter().map(text);
    lines
        .flat_map(|line| line.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>())
        .collect()
}

fn insert_body(event: &mut Map<String, Value>, call: &Call<'_>, manners: Manners) {
    let is_text = manners.bodies_as_text || is_text_type(&call.parts.headers, manners);
    event.insert("isBase64Encoded".to_owned(), json!(!is_text && !call.body.is_empty()));
    if call.body.is_empty() {
        return;
    }
    let bytes = &call.body[..call.body.len() - usize::from(manners.cut_body_bytes)];
    // What AWS makes of a text that is not UTF-8 is not documented; it cannot be the same bytes.
    let body = if is_text { String::from_utf8_lossy(bytes).into_owned() } else { STANDARD.encode(bytes) };
    event.insert("body".to_owned(), json!(body));
}

fn is_text_type(headers: &HeaderMap, manners: Manners) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).map(text) else { return manners.untyped_as_text };
    let media_type = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type.starts_with("text/") || TEXT_TYPES.contains(&media_type.as_str())
}

fn host(headers: &HeaderMap) -> String {
    headers.get(header::HOST).map(text).unwrap_or_default()
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn join(map: &mut BTreeMap<String, String>, name: &str, value: &str) {
    map.entry(name.to_owned())
        .and_modify(|values| {
            values.push(',');
            values.push_str(value);
        })
        .or_insert_with(|| value.to_owned());
}
