//! What a gateway serves, and how it behaves.

use std::collections::HashMap;
use std::time::Duration;

use crate::{Function, Route};

/// What a gateway serves.
#[derive(Clone)]
pub struct GatewayOptions {
    /// The routes of the API.
    pub routes: Vec<Route>,
    /// The functions, by the name that routes call them.
    pub functions: HashMap<String, Function>,
    /// How long a function may take before the client gets 503.
    pub integration_timeout: Duration,
    /// What functions read in `x-forwarded-proto`.
    ///
    /// AWS says `https`. The stand-in speaks plain HTTP, so `http` makes the URLs that functions build work.
    pub forwarded_proto: String,
    /// What functions read in `requestContext.domainName`; `None`: what the client sent as Host.
    pub domain_name: Option<String>,
    /// What `Authorization` is of a request that has none, for clients that know nothing of accounts.
    pub authorization: Option<String>,
    /// In what the gateway differs from AWS.
    pub manners: Manners,
}

impl GatewayOptions {
    /// Returns options with the limits of AWS.
    pub fn new(routes: Vec<Route>, functions: HashMap<String, Function>) -> Self {
        Self {
            routes,
            functions,
            integration_timeout: Duration::from_secs(30),
            forwarded_proto: "http".to_owned(),
            domain_name: None,
            authorization: None,
            manners: Manners::default(),
        }
    }
}

/// In what a gateway differs from AWS as far as AWS is known; all false is AWS.
///
/// The first group is how other gateways behave, or AWS if it should turn out so. The second group is damage, to
/// prove that a check notices it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manners {
    /// The event's path is as the client sent it, percent-encoded, as a function URL or a REST API has it.
    pub keep_path_encoded: bool,
    /// The event's path is decoded once, as `sam local` has it.
    pub decode_path_once: bool,
    /// `rawQueryString` is percent-decoded.
    pub decode_query: bool,
    /// Every request body is passed as text, whatever its type.
    pub bodies_as_text: bool,
    /// A request body without a type is passed as text.
    pub untyped_as_text: bool,
    /// `multiValueHeaders` of an answer count, as in payload format 1.0 and in `sam local`.
    pub take_multi_value_headers: bool,
    /// An answer without Content-Type becomes `application/json`, as in `sam local`.
    pub default_to_json: bool,
    /// `WWW-Authenticate` of a function is left as it is.
    pub keep_challenge: bool,
    /// HEAD is answered with the length of the function's body, whatever its header says.
    pub count_head_length: bool,

    /// `WWW-Authenticate` is renamed even where a response mapping has set it.
    pub rename_challenge_despite_mapping: bool,
    /// Location loses its query.
    pub mangle_location: bool,
    /// HEAD is answered without Content-Length.
    pub drop_head_length: bool,
    /// The last byte of every request body is lost.
    pub cut_body_bytes: bool,
    /// The last byte of every answer is lost.
    pub cut_answer_bytes: bool,
}
