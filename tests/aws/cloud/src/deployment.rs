//! What CloudFormation would fill in, and what the parts get by it that no template of functions says.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::Result;
use dynamodb_standin::DynamoDbStandin;
use infra_tests::Template;
use s3_standin::S3Standin;
use secrets_standin::{SECRET_NAME, SecretsStandin};
use serde_json::{Value, json};

use crate::capability;
use crate::cloud::CloudOptions;

pub(crate) const TABLE: &str = "slipway";
/// What Secrets Manager makes for the edge to show.
const EDGE_KEY: &str = "another0key0of0letters0and0digits0as0SecretsManager0makes0it0000";

pub(crate) const BUCKET: &str = "slipway-objects";

/// The names and addresses that exist only once the stack is deployed, and the parameters that were chosen.
#[derive(Clone)]
pub(crate) struct Deployment {
    pub(crate) values: HashMap<&'static str, String>,
    pub(crate) credentials: BTreeMap<String, String>,
}

/// Host and port of what stands behind the edge; the relay's is empty where there is none.
pub(crate) struct Hosts {
    pub(crate) api: String,
    pub(crate) relay: String,
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
        let head_length = if options.has_counted_heads { "content" } else { "header" };
        let values = [
            ("Table", TABLE.to_owned()),
            ("Bucket", BUCKET.to_owned()),
            ("BucketNameParameter.Value", BUCKET.to_owned()),
            ("RegistrySecret", SECRET_NAME.to_owned()),
            ("WithEdge", edge.to_owned()),
            ("Uploads", uploads.to_owned()),
            ("HeadLength", head_length.to_owned()),
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

    /// The same with other values.
    pub(crate) fn with(&self, values: &[(&'static str, &str)]) -> Self {
        let mut changed = self.clone();
        changed.values.extend(values.iter().map(|(name, value)| (*name, (*value).to_owned())));
        changed
    }

    /// What this template, which is `infra/edge.yaml` or like it, makes of it.
    pub(crate) fn edge_stack(&self, template: &Path, hosts: Hosts) -> Result<Value> {
        let s3 = self.values["S3Endpoint"].trim_start_matches("http://").to_owned();
        let values = HashMap::from([
            ("AWS::StackId", "arn:aws:cloudformation:eu-central-1:1:stack/edge/0".to_owned()),
            ("ApiDomainName", hosts.api),
            ("BucketRegionalDomainName", s3),
            ("RelayDomainName", hosts.relay),
            ("EdgeKeySecretArn", self.values["EdgeKey"].clone()),
            ("CapabilityKeySecretArn", self.values["CapabilityKey"].clone()),
        ]);
        let resolver = |name: &str| values.get(name).or_else(|| self.values.get(name)).cloned();
        Template::load(template)?.deployed(&resolver)
    }

    /// What signs for S3 in the name of the origin access control, if there is one.
    pub(crate) fn access_control(&self) -> Option<Value> {
        let key = |name: &str| self.credentials[name].clone();
        (self.values["Uploads"] == "capability").then(|| {
            json!({
                "accessKeyId": key("AWS_ACCESS_KEY_ID"), "secretAccessKey": key("AWS_SECRET_ACCESS_KEY"),
                "sessionToken": key("AWS_SESSION_TOKEN"), "region": key("AWS_REGION"),
            })
        })
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
