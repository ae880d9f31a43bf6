//! What a role may do, as lines of text that can be compared.

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::Template;
use crate::evaluate::{attribute, function_call};

pub(crate) fn of_role(template: &Template, role: &str) -> Result<Vec<String>> {
    let properties = &template.resource(role).with_context(|| format!("no role {role}"))?["Properties"];
    let inline = list(&properties["Policies"]).iter().map(|policy| &policy["PolicyDocument"]);
    let managed =
        list(&properties["ManagedPolicyArns"]).iter().map(|policy| managed_policy(template, policy));
    of_documents(inline.map(Ok).chain(managed).collect::<Result<_>>()?)
}

pub(crate) fn of_policy(template: &Template, policy: &str) -> Result<Vec<String>> {
    let resource = template.resource(policy).with_context(|| format!("no policy {policy}"))?;
    of_documents(vec![&resource["Properties"]["PolicyDocument"]])
}

fn of_documents(documents: Vec<&Value>) -> Result<Vec<String>> {
    let statements = documents.into_iter().flat_map(|document| list(&document["Statement"]));
    let mut lines = statements.map(in_statement).collect::<Result<Vec<_>>>()?.concat();
    lines.sort();
    Ok(lines)
}

/// A policy that the template does not write itself would be rights that nobody sees here.
fn managed_policy<'a>(template: &'a Template, policy: &Value) -> Result<&'a Value> {
    let name = policy["Ref"].as_str().with_context(|| format!("policy {policy} is not in the template"))?;
    let resource =
        template.resource(name).with_context(|| format!("policy {name} is not in the template"))?;
    Ok(&resource["Properties"]["PolicyDocument"])
}

fn in_statement(statement: &Value) -> Result<Vec<String>> {
    if ["NotAction", "NotResource"].iter().any(|field| statement.get(field).is_some()) {
        bail!("{statement} says what it does not mean");
    }
    let effect = if statement["Effect"] == "Allow" { "" } else { "deny " };
    let condition =
        statement.get("Condition").map(|condition| format!(" if {condition}")).unwrap_or_default();
    let mut lines = Vec::new();
    for action in list(&statement["Action"]) {
        let action = action.as_str().context("an action that is no text")?;
        for resource in list(&statement["Resource"]) {
            lines.push(format!("{effect}{action} {}{condition}", shown(resource)?));
        }
    }
    Ok(lines)
}

/// Returns an expression as a text with `${…}`.
fn shown(expression: &Value) -> Result<String> {
    let call = match expression {
        Value::String(text) => return Ok(text.clone()),
        Value::Object(fields) => function_call(fields),
        _ => None,
    };
    match call.with_context(|| format!("{expression} is no resource"))? {
        ("Ref", Value::String(name)) => Ok(format!("${{{name}}}")),
        ("Fn::GetAtt", argument) => Ok(format!("${{{}}}", attribute(argument)?)),
        ("Fn::Sub", Value::String(text)) => Ok(text.clone()),
        _ => bail!("{expression} is no resource"),
    }
}

/// Returns the items of a list; one value is a list of one.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      ManagedPolicyArns: [!Ref Policy]
      Policies:
        - PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [s3:GetObject, s3:PutObject], Resource: !Sub '${Bucket.Arn}/*'}
  Policy:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Deny, Action: 'x:*', Resource: !GetAtt Table.Arn, Condition: {Bool: {a: 'b'}}}
";

    #[test]
    fn inline_and_managed_policies_are_lines() {
        let rights = Template::parse(ROLE).unwrap().rights("Role").unwrap();
        let expected = [
            r#"deny x:* ${Table.Arn} if {"Bool":{"a":"b"}}"#,
            "s3:GetObject ${Bucket.Arn}/*",
            "s3:PutObject ${Bucket.Arn}/*",
        ];
        assert_eq!(rights, expected);
    }

    #[test]
    fn a_policy_of_somebody_else_is_refused() {
        let foreign = ROLE.replace("!Ref Policy", "'arn:aws:iam::aws:policy/AdministratorAccess'");
        assert!(Template::parse(&foreign).unwrap().rights("Role").is_err());
    }

    #[test]
    fn everything_but_something_is_refused() {
        let inverted = ROLE.replace("Action: [s3:GetObject, s3:PutObject]", "NotAction: s3:DeleteObject");
        assert!(Template::parse(&inverted).unwrap().rights("Role").is_err());
    }
}
