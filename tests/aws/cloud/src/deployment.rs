//! What CloudFormation would fill in, and what the parts get by it that no template of functions says.

use std::collections::{BTreeMap, HashMap};

use dynamodb_standin::DynamoDbStandin;
use s3_standin::S3Standin;
use secrets_standin::{SECRET_NAME, SecretsStandin};
use serde_json::json;

use crate::capability;
use crate::cloud::CloudOptions;
use crate::edge::Terms;

pub(crate) const TABLE: &str = "slipway";
/// What Secrets Manager makes for the edge to show.
const EDGE_KEY: &str = "another0key0of0letters0and0digits0as0SecretsManager0makes0it0000";

pub(crate) const BUCKET: &str = "slipway-objects";

/// The names and addresses that exist only once the stack is deployed, and the parameters that were chosen.
pub(crate) struct Deployment {
    pub(crate) values: HashMap<&'static str, String>,
    pub(crate) credentials: BTreeMap<String, String>,
}

/// The stand-ins for AWS's services.
pub(crate) struct Services<'a> {
    pub(crate) dynamodb: &'a DynamoDbStandin,
    pub(crate) s3: &'a S3Standin,
    pub(crate) secrets: &'a SecretsStandin,
    pub(crate) bus_endpoint: &'a str,
}

impl Deployment {
    /// Deploys on these services.
    pub(crate) fn new(services: &Services<'_>, options: &CloudOptions) -> Self {
        let edge = if options.has_edge { "yes" } else { "no" };
        let uploads = if options.has_capability { "capability" } else { "presigned" };
        let values = [
            ("Table", TABLE.to_owned()),
            ("Bucket", BUCKET.to_owned()),
            ("BucketNameParameter.Value", BUCKET.to_owned()),
            ("RegistrySecret", SECRET_NAME.to_owned()),
            ("WithEdge", edge.to_owned()),
            ("Uploads", uploads.to_owned()),
            ("EdgeKey", "the-key-of-the-edge".to_owned()),
            ("{{resolve:secretsmanager:the-key-of-the-edge}}", EDGE_KEY.to_owned()),
            ("CapabilityKey", "the-secret".to_owned()),
            ("{{resolve:secretsmanager:the-secret}}", capability::KEY.to_owned()),
            ("S3PathStyle", "true".to_owned()),
            ("LogFilter", "warn".to_owned()),
            ("S3Endpoint", services.s3.endpoint()),
            ("DynamodbEndpoint", services.dynamodb.endpoint()),
            ("SecretsEndpoint", services.secrets.endpoint()),
        ];
        Self { values: values.into(), credentials: credentials(services) }
    }

    /// The same as relay.yaml gives the relay.
    pub(crate) fn relay_environment(&self) -> BTreeMap<String, String> {
        let own = [
            ("SLIPWAY_TABLE", "Table"),
            ("SLIPWAY_BUCKET", "Bucket"),
            ("SLIPWAY_SECRET", "RegistrySecret"),
            ("SLIPWAY_SECRETS_ENDPOINT", "SecretsEndpoint"),
            ("SLIPWAY_S3_ENDPOINT", "S3Endpoint"),
            ("SLIPWAY_S3_PATH_STYLE", "S3PathStyle"),
            ("SLIPWAY_DYNAMODB_ENDPOINT", "DynamodbEndpoint"),
            ("SLIPWAY_LOG", "LogFilter"),
        ];
        let mut environment: BTreeMap<_, _> =
            own.map(|(variable, name)| (variable.to_owned(), self.values[name].clone())).into();
        environment.insert("SLIPWAY_ROLE".to_owned(), "write".to_owned());
        environment.insert("SLIPWAY_UPLOADS".to_owned(), "inline".to_owned());
        environment.insert("SLIPWAY_VIEWER_SCHEME".to_owned(), "http".to_owned());
        environment.extend(self.credentials.clone());
        environment
    }
}

/// What Lambda gives every function.
fn credentials(services: &Services<'_>) -> BTreeMap<String, String> {
    let keys = services.dynamodb.credentials();
    [
        ("AWS_REGION", services.dynamodb.region()),
        ("AWS_ACCESS_KEY_ID", &keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key),
        ("AWS_SESSION_TOKEN", keys.session_token.as_deref().unwrap_or_default()),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", services.bus_endpoint),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// The same as edge.yaml gives it, but for a bucket that is named in the path.
pub(crate) fn edge_terms(
    dynamodb: &DynamoDbStandin,
    options: &CloudOptions,
    authorization: Option<String>,
) -> Terms {
    let uploads_path = format!("/{BUCKET}/uploads/");
    if !options.has_capability {
        let settings = json!({ "uploadsPath": uploads_path });
        return Terms { settings, key: EDGE_KEY, access_control: None, authorization };
    }
    let keys = dynamodb.credentials();
    Terms {
        key: EDGE_KEY,
        settings: json!({
            "uploadsPath": uploads_path, "uploads": "capability", "capabilityKey": capability::KEY,
        }),
        access_control: Some(json!({
            "accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key,
            "sessionToken": keys.session_token, "region": dynamodb.region(),
        })),
        authorization,
    }
}
