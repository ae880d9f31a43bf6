//! What an expression refers to.

use serde_json::Value;

use crate::evaluate::{attribute, function_call};

/// A name that an expression uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A parameter, a resource or a pseudo parameter: `!Ref Table`, `${AWS::Region}`.
    Name(String),
    /// An attribute of a resource: `!GetAtt Table.Arn`.
    Attribute {
        /// The resource.
        name: String,
        /// Its attribute; `Outputs.<name>` for a nested stack.
        attribute: String,
    },
    /// A condition: `!If [HasEdge, …]`, `!Condition HasEdge`, `Condition: HasEdge`.
    Condition(String),
    /// A resource in `DependsOn`.
    DependsOn(String),
}

/// Returns everything that `value` refers to, in no particular order.
pub fn references(value: &Value) -> Vec<Reference> {
    match value {
        Value::Array(items) => items.iter().flat_map(references).collect(),
        Value::Object(fields) => match function_call(fields) {
            Some((function, argument)) => in_call(function, argument),
            None => fields.iter().flat_map(|(key, value)| in_field(key, value)).collect(),
        },
        _ => Vec::new(),
    }
}

fn in_field(key: &str, value: &Value) -> Vec<Reference> {
    match (key, value) {
        ("Condition", Value::String(name)) => vec![Reference::Condition(name.clone())],
        ("DependsOn", Value::String(name)) => vec![Reference::DependsOn(name.clone())],
        ("DependsOn", Value::Array(names)) => {
            names.iter().filter_map(|name| Some(Reference::DependsOn(name.as_str()?.to_owned()))).collect()
        }
        _ => references(value),
    }
}

fn in_call(function: &str, argument: &Value) -> Vec<Reference> {
    match (function, argument) {
        ("Ref", Value::String(name)) => vec![Reference::Name(name.clone())],
        ("Condition", Value::String(name)) => vec![Reference::Condition(name.clone())],
        ("Fn::GetAtt", _) => attribute(argument).iter().map(|name| by_name(name)).collect(),
        ("Fn::Sub", Value::String(text)) => names_in(text).map(by_name).collect(),
        ("Fn::Sub", Value::Array(parts)) => in_sub_with_names(parts),
        ("Fn::If", Value::Array(parts)) => {
            let condition =
                parts.first().and_then(Value::as_str).map(|it| Reference::Condition(it.to_owned()));
            condition.into_iter().chain(parts.iter().skip(1).flat_map(references)).collect()
        }
        _ => references(argument),
    }
}

fn in_sub_with_names(parts: &[Value]) -> Vec<Reference> {
    let text = parts.first().and_then(Value::as_str).unwrap_or_default();
    let own = parts.get(1).and_then(Value::as_object);
    let foreign = names_in(text).filter(|name| !own.is_some_and(|own| own.contains_key(*name)));
    let values = own.into_iter().flat_map(|own| own.values()).flat_map(references);
    foreign.map(by_name).chain(values).collect()
}

/// Returns the names in `${…}`; `${!…}` is none.
fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let names = text.split("${").skip(1).filter_map(|from| from.split_once('}'));
    names.map(|(name, _)| name).filter(|name| !name.starts_with('!'))
}

fn by_name(name: &str) -> Reference {
    match name.split_once('.') {
        Some((name, attribute)) => {
            Reference::Attribute { name: name.to_owned(), attribute: attribute.to_owned() }
        }
        None => Reference::Name(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_of_referring_is_found() {
        let value = json!({
            "Condition": "HasA",
            "DependsOn": ["B"],
            "Value": {"Fn::If": ["HasC", {"Ref": "D"}, {"Fn::GetAtt": ["E", "Outputs.F"]}]},
            "Text": {"Fn::Sub": ["${G.Arn}-${own}-${!none}", {"own": {"Ref": "H"}}]},
        });
        let name = |name: &str| Reference::Name(name.to_owned());
        let condition = |name: &str| Reference::Condition(name.to_owned());
        let attribute = |name: &str, attribute: &str| Reference::Attribute {
            name: name.into(),
            attribute: attribute.into(),
        };
        let mut expected = vec![condition("HasA"), Reference::DependsOn("B".into()), condition("HasC")];
        expected.extend([name("D"), attribute("E", "Outputs.F"), attribute("G", "Arn"), name("H")]);
        let mut found = references(&value);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);
    }
}
