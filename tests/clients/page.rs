//! `docs/clients.md`: its tables say what the tests found. With `SLIPWAY_WRITE_DOCS` what they find is written there.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::{accounts, cloud};

/// Held by who reads the page to write it.
static PAGE: Mutex<()> = Mutex::new(());

#[test]
fn the_page_about_clients_says_what_the_tests_found() {
    change(|text| {
        let met = |way: &str, client: &str, size: &str| {
            let range = cell(text, way, client, size);
            range.map_or_else(|| "not tried".to_owned(), |range| text[range].to_owned())
        };
        let made = with_section(text, "clients", &cloud::table(met));
        with_section(&made, "logins", &accounts::table())
    });
}

/// Holds what a client met against the page.
pub(crate) fn observed(way: &str, client: &str, size: &str, met: &str) {
    change(|text| {
        let range =
            cell(text, way, client, size).unwrap_or_else(|| panic!("no {client} by {way} with {size}"));
        let mut made = text.to_owned();
        made.replace_range(range, met);
        made
    });
}

/// Fails if the change makes any difference to the page, unless it is to be written.
fn change(make: impl FnOnce(&str) -> String) {
    let _held = PAGE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = fs::read_to_string(page()).unwrap();
    let made = make(&text);
    if std::env::var_os("SLIPWAY_WRITE_DOCS").is_some() {
        fs::write(page(), &made).unwrap();
        return;
    }
    assert_eq!(text, made, "run it with SLIPWAY_WRITE_DOCS=1");
}

/// Returns where the page has the cell of a client and a size, in the table of a way.
fn cell(text: &str, way: &str, client: &str, size: &str) -> Option<Range<usize>> {
    let table = text.find(&format!("Through {way}:\n"))?;
    let head = table + text[table..].find("| client |")?;
    let line = |from: usize| text[from..].lines().next();
    let column = line(head)?.split(" | ").position(|name| name.trim_end_matches(" |") == size)?;
    let row = head + text[head..].find(&format!("\n| {client} |"))? + 1;
    let before: usize = line(row)?.split(" | ").take(column).map(|cell| cell.len() + " | ".len()).sum();
    let met = line(row)?[before..].split(" |").next()?;
    Some(row + before..row + before + met.len())
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients.md")
}

/// Returns the text with the section's content replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{content}{end}{after}")
}
