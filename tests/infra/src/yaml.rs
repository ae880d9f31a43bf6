//! YAML with the short tags of AWS templates, as JSON with the long names.

use anyhow::{Context, Result, bail, ensure};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

/// The functions that have a short tag, and keep their name behind `Fn::`.
const FUNCTIONS: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Contains",
    "Equals",
    "FindInMap",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
];

/// Reads one document; a key that stands twice in a mapping is an error.
pub(crate) fn parse(text: &str) -> Result<Value> {
    let documents = Yaml::load_from_str(text)?;
    ensure!(documents.len() == 1, "{} documents instead of one", documents.len());
    let document = documents.into_iter().next().context("no document")?;
    to_json(document)
}

fn to_json(yaml: Yaml<'_>) -> Result<Value> {
    match yaml {
        Yaml::Value(scalar) => Ok(scalar_to_json(scalar)),
        Yaml::Sequence(items) => items.into_iter().map(to_json).collect(),
        Yaml::Mapping(entries) => {
            let entries = entries.into_iter().map(|(key, value)| Ok((to_key(key)?, to_json(value)?)));
            entries.collect::<Result<Map<_, _>>>().map(Value::Object)
        }
        Yaml::Tagged(tag, inner) => long_form(&tag.suffix, &to_json(*inner)?),
        other => bail!("cannot read {other:?}"),
    }
}

fn to_key(yaml: Yaml<'_>) -> Result<String> {
    match to_json(yaml)? {
        Value::String(key) => Ok(key),
        Value::Number(key) => Ok(key.to_string()),
        other => bail!("{other} is no key"),
    }
}

fn scalar_to_json(scalar: Scalar<'_>) -> Value {
    match scalar {
        Scalar::Null => Value::Null,
        Scalar::Boolean(value) => json!(value),
        Scalar::Integer(value) => json!(value),
        Scalar::FloatingPoint(value) => json!(value.into_inner()),
        Scalar::String(value) => json!(value),
    }
}

fn long_form(tag: &str, value: &Value) -> Result<Value> {
    match (tag, value) {
        ("Ref" | "Condition", _) => Ok(json!({ tag: value })),
        ("GetAtt", Value::String(text)) => {
            let (name, attribute) = text.split_once('.').context("GetAtt without an attribute")?;
            Ok(json!({ "Fn::GetAtt": [name, attribute] }))
        }
        ("GetAtt", Value::Array(_)) => Ok(json!({ "Fn::GetAtt": value })),
        (function, _) if FUNCTIONS.contains(&function) => Ok(json!({ format!("Fn::{function}"): value })),
        _ => bail!("unknown tag !{tag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_tags_become_long_names() {
        let read =
            parse("a: !Ref Table\nb: !GetAtt Edge.Outputs.Name\nc: !If [Yes, !Sub '${A}-b', 7]\n").unwrap();
        let expected = json!({
            "a": {"Ref": "Table"},
            "b": {"Fn::GetAtt": ["Edge", "Outputs.Name"]},
            "c": {"Fn::If": ["Yes", {"Fn::Sub": "${A}-b"}, 7]},
        });
        assert_eq!(read, expected);
    }

    #[test]
    fn a_misspelt_tag_is_refused() {
        assert!(parse("a: !Reff Table\n").is_err());
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        assert!(parse("a: 1\nb: 2\na: 3\n").is_err());
    }

    #[test]
    fn a_quoted_number_is_a_text() {
        assert_eq!(parse("'401': '8080'\n").unwrap(), json!({"401": "8080"}));
    }
}
