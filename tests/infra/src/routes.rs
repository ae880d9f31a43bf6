//! The routes of the HTTP API, as its definition in the template has them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::Template;

const HTTP_API: &str = "AWS::Serverless::HttpApi";
const ANY_METHOD: &str = "x-amazon-apigateway-any-method";
const INTEGRATION: &str = "x-amazon-apigateway-integration";

/// A route of an HTTP API and the function behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// `GET`, `HEAD` …, or `ANY`.
    pub method: String,
    /// A path such as `/v2/{proxy+}`, or `$default`.
    pub path: String,
    /// The logical id of the function.
    pub function: String,
    /// The version of the event's form, `2.0`.
    pub payload_format_version: String,
    /// What is done to the headers of an answer, by its status.
    pub response_headers: BTreeMap<u16, Vec<HeaderMapping>>,
}

/// One change to a header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMapping {
    /// `overwrite`, `append` or `remove`.
    pub action: String,
    /// The header's name.
    pub header: String,
    /// Where the value comes from, for example `$response.header.x-registry-challenge`.
    pub source: String,
}

pub(crate) fn read(template: &Template) -> Result<Vec<Route>> {
    let apis = template.resources_of_type(HTTP_API);
    ensure!(apis.len() == 1, "{} HTTP APIs instead of one", apis.len());
    let paths = template.properties(apis[0]).pointer("/DefinitionBody/paths");
    let paths = paths.and_then(Value::as_object).context("the HTTP API has no paths")?;
    let methods = paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten().filter(|(_, it)| it.get(INTEGRATION).is_some());
        methods.map(move |(method, operation)| route(path, method, operation))
    });
    methods.collect()
}

fn route(path: &str, method: &str, operation: &Value) -> Result<Route> {
    let integration = &operation[INTEGRATION];
    let is_default = operation["isDefaultRoute"] == true;
    Ok(Route {
        method: if method == ANY_METHOD { "ANY".to_owned() } else { method.to_uppercase() },
        path: if is_default { "$default".to_owned() } else { path.to_owned() },
        function: function(&integration["uri"])
            .with_context(|| format!("no function behind {method} {path}"))?,
        payload_format_version: integration["payloadFormatVersion"].as_str().unwrap_or_default().to_owned(),
        response_headers: response_headers(&integration["responseParameters"])?,
    })
}

fn function(uri: &Value) -> Option<String> {
    let (_, from) = uri["Fn::Sub"].as_str()?.split_once("/functions/${")?;
    Some(from.split_once(".Arn}/invocations")?.0.to_owned())
}

fn response_headers(parameters: &Value) -> Result<BTreeMap<u16, Vec<HeaderMapping>>> {
    let by_status = parameters.as_object().into_iter().flatten();
    let mappings = by_status.map(|(status, changes)| {
        let changes = changes.as_object().into_iter().flatten();
        Ok((status.parse()?, changes.map(header_mapping).collect::<Result<_>>()?))
    });
    mappings.collect()
}

fn header_mapping((target, source): (&String, &Value)) -> Result<HeaderMapping> {
    let (action, header) = target.split_once(":header.").context("a mapping that changes no header")?;
    let source = source.as_str().context("a mapping without a source")?;
    Ok(HeaderMapping { action: action.to_owned(), header: header.to_owned(), source: source.to_owned() })
}
