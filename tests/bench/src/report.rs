//! Tables that people read and programs parse.

use std::fmt::Write;

use serde_json::{Value, json};

/// A table: a title, column names, and rows of as many cells.
pub struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Makes an empty table.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.to_owned(), columns, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// Returns the table in Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n", self.title);
        let rule = vec!["---".to_owned(); self.columns.len()];
        for cells in [&self.columns, &rule].into_iter().chain(&self.rows) {
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }

    /// Returns the table as JSON: its title and one object a row.
    pub fn json(&self) -> Value {
        let object = |cells: &Vec<String>| -> Value {
            self.columns.iter().cloned().zip(cells.iter().map(|cell| json!(cell))).collect()
        };
        json!({ "title": self.title, "rows": self.rows.iter().map(object).collect::<Vec<_>>() })
    }
}

/// Writes a number with about three digits that mean something.
pub fn number(value: f64) -> String {
    match value.abs() {
        _ if value.is_nan() => "–".to_owned(),
        size if size >= 100.0 => thousands(value.round() as i64),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes bytes as MiB.
pub fn mib(bytes: u64) -> String {
    number(bytes as f64 / f64::from(1 << 20))
}
