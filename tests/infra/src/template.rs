//! One template file.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::evaluate::{Evaluator, Resolver};
use crate::rights;
use crate::routes::{self, Route};
use crate::yaml;

const FUNCTION: &str = "AWS::Serverless::Function";
const ENVIRONMENT: &str = "/Environment/Variables";

/// A template of AWS, with or without SAM.
#[derive(Clone, Debug)]
pub struct Template {
    document: Value,
    nothing: Map<String, Value>,
}

impl Template {
    /// Reads a template file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("cannot understand {}", path.display()))
    }

    /// Reads the text of a template.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { document: yaml::parse(text)?, nothing: Map::new() })
    }

    /// Returns the whole template.
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// Returns a section such as `Parameters`; empty if the template has none.
    pub fn section(&self, name: &str) -> &Map<String, Value> {
        self.document[name].as_object().unwrap_or(&self.nothing)
    }

    /// Returns a resource.
    pub fn resource(&self, logical_id: &str) -> Option<&Value> {
        self.section("Resources").get(logical_id)
    }

    /// Returns the properties of a resource; null if there is no such resource.
    pub fn properties(&self, logical_id: &str) -> &Value {
        &self.document["Resources"][logical_id]["Properties"]
    }

    /// Returns the logical ids of all resources of a type such as `AWS::IAM::Role`.
    pub fn resources_of_type(&self, kind: &str) -> Vec<&str> {
        let resources = self.section("Resources").iter();
        resources.filter(|(_, resource)| resource["Type"] == kind).map(|(id, _)| id.as_str()).collect()
    }

    /// Returns the logical ids of all Lambda functions.
    pub fn functions(&self) -> Vec<&str> {
        self.resources_of_type(FUNCTION)
    }

    /// Returns the routes of the HTTP API.
    pub fn routes(&self) -> Result<Vec<Route>> {
        routes::read(self)
    }

    /// Returns the environment that a function gets, `Globals` included.
    ///
    /// Parameters that `resolver` does not know have their defaults; conditions follow from the parameters. A
    /// variable that is empty is in the map, as on AWS.
    pub fn environment(&self, function: &str, resolver: &Resolver<'_>) -> Result<BTreeMap<String, String>> {
        let evaluator = Evaluator::new(self, resolver);
        let value_of = |(name, value): (&String, &Value)| {
            let value =
                evaluator.text(value).with_context(|| format!("cannot evaluate {name} of {function}"))?;
            Ok((name.clone(), value))
        };
        self.variables(function)?.into_iter().map(value_of).collect()
    }

    /// Returns the properties of the resources that are deployed, by logical id, with everything worked out.
    ///
    /// An attribute of a resource that `resolver` does not know is its own name: `EdgeFunction.FunctionARN`.
    pub fn deployed(&self, resolver: &Resolver<'_>) -> Result<Value> {
        let resolver = |name: &str| resolver(name).or_else(|| self.own_attribute(name));
        let evaluator = Evaluator::new(self, &resolver);
        let mut deployed = Map::new();
        for (logical_id, resource) in self.section("Resources") {
            if resource["Condition"].as_str().map_or(Ok(true), |name| evaluator.condition(name))? {
                let properties = evaluator.value(&resource["Properties"]);
                let properties = properties.with_context(|| format!("cannot evaluate {logical_id}"))?;
                deployed.insert(logical_id.clone(), properties);
            }
        }
        Ok(Value::Object(deployed))
    }

    /// Returns what a role may do, one line for each action and resource, sorted; `Deny`s and conditions included.
    ///
    /// A line is `s3:GetObject ${Bucket.Arn}/data/*`, with ` if {…}` behind it where there is a condition.
    pub fn rights(&self, role: &str) -> Result<Vec<String>> {
        rights::of_role(self, role)
    }

    /// Returns what a managed policy allows, in the same lines.
    pub fn policy_rights(&self, policy: &str) -> Result<Vec<String>> {
        rights::of_policy(self, policy)
    }

    fn own_attribute(&self, name: &str) -> Option<String> {
        let (logical_id, _) = name.split_once('.')?;
        self.resource(logical_id).map(|_| name.to_owned())
    }

    fn variables(&self, function: &str) -> Result<BTreeMap<&String, &Value>> {
        let properties =
            &self.resource(function).with_context(|| format!("no function {function}"))?["Properties"];
        let sources = [&self.document["Globals"]["Function"], properties];
        let variables = sources.into_iter().filter_map(|source| source.pointer(ENVIRONMENT)?.as_object());
        Ok(variables.flatten().collect())
    }
}
