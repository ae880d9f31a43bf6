//! The management API, as commands ask it, and how they print what it answers.

use anyhow::{Context, Result, bail};
use http::{Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::connection::Connection;
use crate::output::{Column, card, print, print_aside, print_line, table};

/// The largest page that there is.
const PAGE_MAX: usize = 1000;

/// What one part of a path may be made of, and nothing else.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A registry's management.
pub(crate) struct Api {
    connection: Connection,
    is_json: bool,
}

impl Api {
    /// Asks by a connection, and prints JSON if that is wanted.
    pub(crate) fn new(connection: Connection, is_json: bool) -> Self {
        Self { connection, is_json }
    }

    /// Returns whether programs read what is printed.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Returns what is at a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// Makes something.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Puts something where the path says.
    pub(crate) async fn put(&self, path: &str, body: Option<&Value>) -> Result<()> {
        self.send(Method::PUT, path, body).await.map(drop)
    }

    /// Changes something.
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Result<()> {
        self.send(Method::PATCH, path, Some(body)).await.map(drop)
    }

    /// Deletes something; returns whether it is gone already.
    pub(crate) async fn delete(&self, path: &str) -> Result<bool> {
        let path = format!("{}{path}", management::PREFIX);
        let response = self.connection.ask_with(Method::DELETE, &path, None).await?;
        Ok(response.status() != StatusCode::ACCEPTED)
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let path = format!("{}{path}", management::PREFIX);
        let response = self.connection.ask_with(method, &path, body).await?;
        match response.body().is_empty() {
            true => Ok(Value::Null),
            false => serde_json::from_slice(response.body()).context("the registry's answer"),
        }
    }

    /// Returns a whole list.
    pub(crate) async fn list(&self, path: &str) -> Result<Vec<Value>> {
        self.list_some(path, "after", usize::MAX).await
    }

    /// Returns so many entries of a list, whose pages are asked for by this parameter.
    pub(crate) async fn list_some(&self, path: &str, parameter: &str, count: usize) -> Result<Vec<Value>> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut entries = Vec::new();
        let mut from = String::new();
        while entries.len() < count {
            let limit = (count - entries.len()).min(PAGE_MAX);
            let mut page = self.get(&format!("{path}{separator}limit={limit}{from}")).await?;
            let Value::Array(items) = page["items"].take() else { bail!("the registry's answer is no list") };
            entries.extend(items);
            let Some(next) = page["next"].as_str() else { break };
            from = format!("&{parameter}={}", segment(next));
        }
        Ok(entries)
    }

    /// Returns the name of the user who asks, for what is about oneself unless something else is said.
    pub(crate) async fn me(&self, option: &str) -> Result<String> {
        let me = self.get("/me").await?;
        match (me["kind"].as_str(), me["name"].as_str()) {
            (Some("user"), Some(name)) => Ok(name.to_owned()),
            (kind, _) => match self.connection.advice().filter(|_| kind == Some("anonymous")) {
                Some(advice) => bail!("nobody is logged in: {advice}"),
                None => bail!("no user is logged in here, so whose it is has to be said: {option}"),
            },
        }
    }

    /// Prints a list.
    pub(crate) fn print_list(&self, columns: &[Column], entries: Vec<Value>) -> Result<()> {
        match self.is_json {
            true => print_json(&Value::Array(entries)),
            false => print(table(columns, &entries)),
        }
    }

    /// Prints one thing.
    pub(crate) fn print(&self, columns: &[Column], entry: &Value) -> Result<()> {
        match self.is_json {
            true => print_json(entry),
            false => print(card(columns, entry)),
        }
    }

    /// Prints names one a line, or what they are the names of.
    pub(crate) fn print_names(&self, entries: Vec<Value>) -> Result<()> {
        if self.is_json {
            return print_json(&Value::Array(entries));
        }
        let names = entries.iter().filter_map(|entry| entry["name"].as_str());
        print(names.map(|name| format!("{name}\n")).collect::<String>())
    }

    /// Prints what was made: all of it for programs, a sentence for people.
    pub(crate) fn print_made(&self, made: &Value, sentence: &str) -> Result<()> {
        match self.is_json {
            true => print_json(made),
            false => print_line(sentence),
        }
    }

    /// Prints what was done, for people.
    pub(crate) fn print_done(&self, sentence: &str) -> Result<()> {
        match self.is_json {
            true => Ok(()),
            false => print_line(sentence),
        }
    }

    /// Prints a secret by itself, for pipes, with the words around it elsewhere; or all of the answer for programs.
    pub(crate) fn print_secret(&self, made: &Value, field: &str, words: &str) -> Result<()> {
        if self.is_json {
            return print_json(made);
        }
        print_aside(words);
        print_line(made[field].as_str().with_context(|| format!("no {field} in the answer"))?)
    }
}

/// Escapes one part of a path, or a value in a query.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// Prints JSON.
pub(crate) fn print_json(value: &Value) -> Result<()> {
    print_line(&serde_json::to_string_pretty(value)?)
}
