//! What an expression of a template comes to, once its parameters and resources have values.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::Template;

/// Gives a value to a name: `Bucket`, `Table.StreamArn`, `AWS::Region`, a parameter, or a dynamic reference such as
/// `{{resolve:secretsmanager:…}}` (which stays as it is when there is no value).
pub type Resolver<'a> = dyn Fn(&str) -> Option<String> + 'a;

const NO_VALUE: &str = "AWS::NoValue";

pub(crate) struct Evaluator<'a> {
    template: &'a Template,
    resolver: &'a Resolver<'a>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(template: &'a Template, resolver: &'a Resolver<'a>) -> Self {
        Self { template, resolver }
    }

    pub(crate) fn text(&self, expression: &Value) -> Result<String> {
        match self.value(expression)? {
            Value::String(text) => Ok(text),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            other => bail!("{other} is not a text"),
        }
    }

    /// Fields and items that are `AWS::NoValue` are left out.
    pub(crate) fn value(&self, expression: &Value) -> Result<Value> {
        let value = match expression {
            Value::Object(fields) => match function_call(fields) {
                Some((function, argument)) => self.call(function, argument)?,
                None => self.fields(fields)?,
            },
            Value::Array(items) => self.items(items)?,
            scalar => scalar.clone(),
        };
        Ok(self.dynamic(&value).unwrap_or(value))
    }

    fn fields(&self, fields: &Map<String, Value>) -> Result<Value> {
        let values = fields.iter().map(|(name, field)| Ok((name.clone(), self.value(field)?)));
        let values: Map<_, _> = values.collect::<Result<_>>()?;
        Ok(Value::Object(values.into_iter().filter(|(_, value)| !value.is_null()).collect()))
    }

    fn items(&self, items: &[Value]) -> Result<Value> {
        let values: Vec<_> = items.iter().map(|item| self.value(item)).collect::<Result<_>>()?;
        Ok(values.into_iter().filter(|value| !value.is_null()).collect())
    }

    fn dynamic(&self, value: &Value) -> Option<Value> {
        let text = value.as_str().filter(|text| text.starts_with("{{resolve:"))?;
        (self.resolver)(text).map(Value::String)
    }

    fn call(&self, function: &str, argument: &Value) -> Result<Value> {
        match function {
            "Ref" => self.reference(argument.as_str().context("Ref without a name")?),
            "Fn::GetAtt" => self.reference(&attribute(argument)?),
            "Fn::Sub" => self.substitute(argument).map(Value::String),
            "Fn::Join" => self.join(argument).map(Value::String),
            "Fn::Split" => self.split(argument),
            "Fn::Select" => self.select(argument),
            "Fn::If" => {
                let holds = self.condition(argument[0].as_str().context("If without a condition")?)?;
                self.value(&argument[if holds { 1 } else { 2 }])
            }
            "Fn::Equals" => Ok(json!(self.text(&argument[0])? == self.text(&argument[1])?)),
            "Fn::Not" => Ok(json!(!self.truth(&argument[0])?)),
            "Fn::And" => self.truths(argument).map(|truths| json!(truths.iter().all(|truth| *truth))),
            "Fn::Or" => self.truths(argument).map(|truths| json!(truths.contains(&true))),
            "Condition" => {
                self.condition(argument.as_str().context("condition without a name")?).map(Value::Bool)
            }
            other => bail!("{other} cannot be evaluated here"),
        }
    }

    /// Asks the resolver first, then the parameters' defaults, then the value of an SSM parameter in the template.
    fn reference(&self, name: &str) -> Result<Value> {
        if name == NO_VALUE {
            return Ok(Value::Null);
        }
        if let Some(value) = (self.resolver)(name) {
            return Ok(json!(value));
        }
        if let Some(default) = self.template.section("Parameters").get(name).and_then(|it| it.get("Default"))
        {
            return Ok(default.clone());
        }
        let parameter = name.strip_suffix(".Value").and_then(|id| self.template.resource(id));
        match parameter {
            Some(resource) if resource["Type"] == "AWS::SSM::Parameter" => {
                self.value(&resource["Properties"]["Value"])
            }
            _ => bail!("nothing known about {name}"),
        }
    }

    fn substitute(&self, argument: &Value) -> Result<String> {
        let (text, own) = match argument {
            Value::Array(parts) => (&parts[0], parts.get(1).and_then(Value::as_object)),
            text => (text, None),
        };
        let mut rest = text.as_str().context("Sub without a text")?;
        let mut result = String::new();
        while let Some((before, from)) = rest.split_once("${") {
            let (name, after) = from.split_once('}').context("Sub with an open brace")?;
            result += before;
            result += &match own.and_then(|own| own.get(name)) {
                Some(value) => self.text(value)?,
                None => self.text(&json!({ "Ref": name }))?,
            };
            rest = after;
        }
        Ok(result + rest)
    }

    fn join(&self, argument: &Value) -> Result<String> {
        let separator = argument[0].as_str().context("Join without a separator")?;
        let items = argument[1].as_array().context("Join without a list")?;
        Ok(items.iter().map(|item| self.text(item)).collect::<Result<Vec<_>>>()?.join(separator))
    }

    fn split(&self, argument: &Value) -> Result<Value> {
        let separator = argument[0].as_str().context("Split without a separator")?;
        Ok(self.text(&argument[1])?.split(separator).map(Value::from).collect())
    }

    fn select(&self, argument: &Value) -> Result<Value> {
        let index = argument[0].as_u64().context("Select without a number")?;
        let list = self.value(&argument[1])?;
        list.get(usize::try_from(index)?).cloned().context("Select beyond the list")
    }

    pub(crate) fn condition(&self, name: &str) -> Result<bool> {
        let condition = self.template.section("Conditions").get(name);
        self.truth(condition.with_context(|| format!("no condition {name}"))?)
    }

    fn truths(&self, argument: &Value) -> Result<Vec<bool>> {
        let items = argument.as_array().context("a list of conditions is missing")?;
        items.iter().map(|item| self.truth(item)).collect()
    }

    fn truth(&self, expression: &Value) -> Result<bool> {
        self.value(expression)?.as_bool().with_context(|| format!("{expression} is not a condition"))
    }
}

/// Returns the function that an object calls, and its argument.
pub(crate) fn function_call(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = fields.iter().next().filter(|_| fields.len() == 1)?;
    (name == "Ref" || name == "Condition" || name.starts_with("Fn::")).then_some((name, argument))
}

/// Returns `Table.Arn` of `["Table", "Arn"]`.
pub(crate) fn attribute(argument: &Value) -> Result<String> {
    let parts = argument.as_array().context("GetAtt without a list")?;
    ensure!(parts.len() == 2, "GetAtt of {} parts", parts.len());
    let name = parts[0].as_str().context("GetAtt without a name")?;
    Ok(format!("{name}.{}", parts[1].as_str().context("GetAtt without an attribute")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = "
Parameters:
  Mode: {Type: String, Default: plain}
Conditions:
  IsFancy: !And [!Equals [!Ref Mode, fancy], !Not [!Equals [!Ref 'AWS::Region', nowhere]]]
Globals:
  Function:
    Environment:
      Variables: {SHARED: !Ref Mode, OVERRIDDEN: global}
Resources:
  Name:
    Type: AWS::SSM::Parameter
    Properties: {Value: !Sub ['n-${Id}', {Id: !Select [1, !Split ['/', 'a/b']]}]}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Environment:
        Variables:
          OVERRIDDEN: own
          NAME: !GetAtt Name.Value
          SECRET: !If [IsFancy, !Sub '{{resolve:secretsmanager:${Key}}}', '']
  Fancy:
    Type: Some::Thing
    Condition: IsFancy
    Properties:
      Items: [!Ref Mode, !If [IsFancy, !Ref AWS::NoValue, plain], {Secret: !Sub '{{resolve:secretsmanager:${Key}}}'}]
      Name: !If [IsFancy, !Ref AWS::NoValue, plain]
      Function: !GetAtt Function.Arn
";

    fn environment(resolver: &Resolver<'_>) -> Result<Value> {
        let environment = Template::parse(TEMPLATE).unwrap().environment("Function", resolver)?;
        Ok(serde_json::to_value(environment).unwrap())
    }

    #[test]
    fn defaults_conditions_and_globals_make_the_environment() {
        let plain = json!({"SHARED": "plain", "OVERRIDDEN": "own", "NAME": "n-b", "SECRET": ""});
        let region = |name: &str| (name == "AWS::Region").then(|| "here".to_owned());
        assert_eq!(environment(&region).unwrap(), plain);
    }

    #[test]
    fn the_resolver_goes_before_defaults_and_answers_for_secrets() {
        let resolver = |name: &str| {
            let values = [("Mode", "fancy"), ("AWS::Region", "here"), ("Key", "k"), ("Name.Value", "given")];
            let secret = [("{{resolve:secretsmanager:k}}", "hush")];
            values
                .iter()
                .chain(&secret)
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        };
        let fancy = json!({"SHARED": "fancy", "OVERRIDDEN": "own", "NAME": "given", "SECRET": "hush"});
        assert_eq!(environment(&resolver).unwrap(), fancy);
    }

    #[test]
    fn resources_are_deployed_if_their_condition_holds_and_without_what_has_no_value() {
        let deployed = |mode: &str| {
            let values = [("Mode", mode), ("AWS::Region", "here"), ("Key", "k")];
            let secret = ("{{resolve:secretsmanager:k}}", "hush");
            let resolver = |name: &str| {
                let known = values.iter().chain([&secret]).find(|(known, _)| *known == name);
                known.map(|(_, value)| (*value).to_owned())
            };
            Template::parse(TEMPLATE).unwrap().deployed(&resolver).unwrap()
        };
        let expected = json!({"Items": ["fancy", {"Secret": "hush"}], "Function": "Function.Arn"});
        assert_eq!(deployed("fancy")["Fancy"], expected);
        assert_eq!(deployed("plain").get("Fancy"), None);
    }

    #[test]
    fn what_nobody_knows_is_an_error() {
        let fancy = |name: &str| (name == "Mode").then(|| "fancy".to_owned());
        assert!(environment(&fancy).unwrap_err().to_string().contains("SECRET"));
    }
}
