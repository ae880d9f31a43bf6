//! Conditions as DynamoDB writes them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use registry::ports::Condition;

/// A condition expression with its names and values; nothing for [`Condition::Always`].
#[derive(Default)]
pub(crate) struct Expression {
    pub(crate) text: Option<String>,
    pub(crate) names: Option<HashMap<String, String>>,
    pub(crate) values: Option<HashMap<String, AttributeValue>>,
}

impl From<&Condition> for Expression {
    fn from(condition: &Condition) -> Self {
        match condition {
            Condition::Always => Self::default(),
            Condition::Absent => Self::text("attribute_not_exists(pk)"),
            Condition::Present => Self::text("attribute_exists(pk)"),
            Condition::Version(version) => Self {
                text: Some("#version = :version".to_owned()),
                names: Some(HashMap::from([("#version".to_owned(), "version".to_owned())])),
                values: Some(HashMap::from([(
                    ":version".to_owned(),
                    AttributeValue::S(version.as_str().to_owned()),
                )])),
            },
        }
    }
}

impl Expression {
    fn text(text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..Self::default() }
    }
}
