//! `docs/clients.md`: its tables are made from those that the tests go by.

use std::fs;
use std::path::Path;

use crate::{accounts, cloud};

#[test]
fn the_page_about_clients_says_what_the_tests_found() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/clients.md");
    let text = fs::read_to_string(&page).unwrap();
    let made = with_section(&text, "clients", &cloud::table());
    let made = with_section(&made, "logins", &accounts::table());
    if std::env::var_os("SLIPWAY_WRITE_DOCS").is_some() {
        fs::write(&page, &made).unwrap();
        return;
    }
    assert_eq!(text, made, "run it with SLIPWAY_WRITE_DOCS=1");
}

/// Returns the text with the section's content replaced.
fn with_section(text: &str, name: &str, content: &str) -> String {
    let (begin, end) = (format!("<!-- {name}:begin -->\n"), format!("<!-- {name}:end -->"));
    let (before, rest) = text.split_once(&begin).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    format!("{before}{begin}{content}{end}{after}")
}
