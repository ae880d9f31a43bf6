//! The page: text by hand, and between two marks what is computed.

use std::path::PathBuf;

use anyhow::{Context, Result};

const BEGIN: &str = "<!-- cost:begin -->\n";
const END: &str = "<!-- cost:end -->";

/// The text of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page(pub(crate) String);

impl Page {
    /// Reads the page.
    pub(crate) fn read() -> Result<Self> {
        std::fs::read_to_string(path()).map(Self).context("docs/cost.md")
    }

    /// Writes the page.
    pub(crate) fn write(&self) -> Result<()> {
        std::fs::write(path(), &self.0).context("docs/cost.md")
    }

    /// Returns the page with `block` between the marks.
    pub(crate) fn with(&self, block: &str) -> Result<Self> {
        let (before, rest) = self.0.split_once(BEGIN).context("the page has no cost:begin")?;
        let (_, after) = rest.split_once(END).context("the page has no cost:end")?;
        Ok(Self(format!("{before}{BEGIN}{block}{END}{after}")))
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/cost.md")
}

/// Returns a table with a first column of names, columns of numbers, and maybe more text.
pub(crate) fn table(head: &[String], numbers: usize, rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let ruler = format!("|---|{}{}\n", "---:|".repeat(numbers), "---|".repeat(head.len() - 1 - numbers));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{ruler}{rows}", line(head))
}

/// Returns dollars with as many digits as say something.
pub(crate) fn dollars(dollars: f64) -> String {
    match dollars {
        0.0 => "–".to_owned(),
        small if small < 0.000_5 => "< 0.001".to_owned(),
        cents if cents < 1.0 => format!("{cents:.3}"),
        many => format!("{many:.2}"),
    }
}

/// Returns a number without a fraction where it has none.
pub(crate) fn number(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number:.0}") } else { format!("{number:.1}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_replaces_what_was_between_the_marks() {
        let page = Page(format!("before\n{BEGIN}old\n{END}\nafter\n"));
        assert_eq!(page.with("new\n").unwrap().0, format!("before\n{BEGIN}new\n{END}\nafter\n"));
        assert!(Page("no marks".to_owned()).with("new").is_err());
    }

    #[test]
    fn dollars_have_the_digits_that_say_something() {
        let texts = [0.0, 0.000_4, 0.114_4, 0.999_9, 11.234].map(dollars);
        assert_eq!(texts, ["–", "< 0.001", "0.114", "1.000", "11.23"]);
    }

    #[test]
    fn a_table_has_its_numbers_on_the_right() {
        let cells = |texts: [&str; 3]| texts.map(str::to_owned).to_vec();
        let table = table(&cells(["", "large", "why"]), 1, &[cells(["Lambda", "1", "so"])]);
        assert_eq!(table, "|  | large | why |\n|---|---:|---|\n| Lambda | 1 | so |\n");
    }
}
