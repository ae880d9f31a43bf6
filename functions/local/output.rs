//! What commands print: aligned columns for people, JSON for programs.

use std::borrow::Cow;
use std::io::{ErrorKind, Write, stdout};

use anyhow::{Context, Result};
use serde_json::Value;

/// A heading, and the field of the answer that is under it.
pub(crate) type Column = (&'static str, &'static str);

/// Prints a text. Whoever reads it may have stopped, as `head` does: what is done does not depend on that.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<()> {
    let mut out = stdout().lock();
    match out.write_all(text.as_ref()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.context("standard output"),
    }
}

/// Prints a line.
pub(crate) fn print_line(text: &str) -> Result<()> {
    print(format!("{text}\n"))
}

/// Prints a line where errors go, if anybody reads them.
pub(crate) fn print_aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Escapes what a terminal would obey: others chose parts of what is printed.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return text.into();
    }
    let escaped = |character: char| match is_obeyed(character) {
        true => character.escape_unicode().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escaped).collect::<String>().into()
}

/// Control characters, and those that turn the direction of what follows.
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Aligns entries under headings.
pub(crate) fn table(columns: &[Column], entries: &[Value]) -> String {
    let headings = columns.iter().map(|(heading, _)| (*heading).to_owned()).collect();
    let cells = |entry: &Value| columns.iter().map(|(_, field)| cell(&entry[field])).collect();
    aligned(&[headings].into_iter().chain(entries.iter().map(cells)).collect::<Vec<_>>())
}

/// Puts one entry's fields one below the other.
pub(crate) fn card(columns: &[Column], entry: &Value) -> String {
    let line = |(heading, field): &Column| vec![capitalised(heading), cell(&entry[field])];
    aligned(&columns.iter().map(line).collect::<Vec<_>>())
}

fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn capitalised(heading: &str) -> String {
    let lower = heading.to_lowercase();
    let mut characters = lower.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain([':']).collect()
}

/// One value in a line. Scopes are written as they are given: `team/*:pull,push`.
fn cell(value: &Value) -> String {
    let joined = |values: Vec<String>| match values.is_empty() {
        true => "-".to_owned(),
        false => values.join(" "),
    };
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => printable(text).into_owned(),
        Value::Array(values) => joined(values.iter().map(cell).collect()),
        Value::Object(fields) => match (&value["repositories"], &value["permissions"]) {
            (Value::String(pattern), Value::Array(permissions)) => {
                let words: Vec<String> = permissions.iter().map(cell).collect();
                format!("{}:{}", printable(pattern), words.join(","))
            }
            _ => joined(
                fields.iter().map(|(name, value)| format!("{}={}", printable(name), cell(value))).collect(),
            ),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const COLUMNS: &[Column] = &[("NAME", "name"), ("SCOPES", "scopes"), ("LAST USED", "used")];

    #[test]
    fn columns_are_aligned_and_no_line_ends_with_spaces() {
        let scope = json!({ "repositories": "team/*", "permissions": ["pull", "push"] });
        let entries = [
            json!({ "name": "ä", "scopes": [scope], "used": "now" }),
            json!({ "name": "longest", "used": "" }),
        ];
        let expected = "\
NAME     SCOPES            LAST USED
ä        team/*:pull,push  now
longest  -                 -
";
        assert_eq!(table(COLUMNS, &entries), expected);
        assert_eq!(card(COLUMNS, &entries[1]), "Name:       longest\nScopes:     -\nLast used:  -\n");
    }

    #[test]
    fn values_are_words() {
        assert_eq!(cell(&json!(true)), "yes");
        assert_eq!(cell(&json!({ "sub": "repo:a/*", "ref": "main" })), "ref=main sub=repo:a/*");
        assert_eq!(cell(&json!([])), "-");
        assert_eq!(cell(&json!(7)), "7");
    }

    #[test]
    fn nothing_that_others_chose_moves_the_cursor() {
        assert_eq!(cell(&json!("\u{1b}[2J\n\u{9b}x\u{202e}")), r"\u{1b}[2J\u{a}\u{9b}x\u{202e}");
        assert_eq!(printable("plain ünïcode"), "plain ünïcode");
    }
}
