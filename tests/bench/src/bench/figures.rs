//! The figures of a run, and the table of what they are compared with and should reach.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use slipway_bench::report::{Table, number};
use slipway_bench::stats::median;

/// Whose figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Slipway,
    DockerRegistry,
    Nginx,
    /// What the machine itself can do.
    Limit,
}

impl Side {
    /// Returns the name in tables and folders.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Slipway => "slipway",
            Self::DockerRegistry => "docker-registry",
            Self::Nginx => "nginx",
            Self::Limit => "limit",
        }
    }
}

/// What a row should reach.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    /// Nothing is set: the row informs.
    None,
    /// Slipway's figure divided by the other's.
    RatioAtLeast(f64),
    RatioAtMost(f64),
    /// Slipway's figure alone.
    AtLeast(f64),
    AtMost(f64),
}

impl Goal {
    fn text(self) -> String {
        match self {
            Self::None => String::new(),
            Self::RatioAtLeast(bound) => format!("≥ {} ×", number(bound)),
            Self::RatioAtMost(bound) => format!("≤ {} ×", number(bound)),
            Self::AtLeast(bound) => format!("≥ {}", number(bound)),
            Self::AtMost(bound) => format!("≤ {}", number(bound)),
        }
    }

    /// Returns whether the goal is met; none without a goal or a figure.
    fn is_met(self, value: f64, ratio: f64) -> Option<bool> {
        let (figure, is_met) = match self {
            Self::None => return None,
            Self::RatioAtLeast(bound) => (ratio, ratio >= bound),
            Self::RatioAtMost(bound) => (ratio, ratio <= bound),
            Self::AtLeast(bound) => (value, value >= bound),
            Self::AtMost(bound) => (value, value <= bound),
        };
        (!figure.is_nan()).then_some(is_met)
    }
}

/// A line of the table: a figure of Slipway, what it is compared with, and what it should reach.
pub(crate) struct Row {
    pub(crate) label: &'static str,
    pub(crate) figure: &'static str,
    pub(crate) against: Option<(Side, &'static str)>,
    pub(crate) goal: Goal,
}

/// All figures of a run, a value a round.
#[derive(Default)]
pub(crate) struct Figures(BTreeMap<(String, Side), Vec<f64>>);

impl Figures {
    /// Adds this round's value.
    pub(crate) fn add(&mut self, figure: &str, side: Side, value: f64) {
        self.0.entry((figure.to_owned(), side)).or_default().push(value);
    }

    /// Returns the median of the rounds, NaN when there were none.
    fn median(&self, figure: &str, side: Side) -> f64 {
        self.0.get(&(figure.to_owned(), side)).map_or(f64::NAN, |values| median(values))
    }

    /// Returns the table of `rows` for which there is a figure.
    pub(crate) fn table(&self, title: &str, rows: &[Row]) -> Table {
        let columns = ["work", "Slipway", "beside it", "", "ratio", "goal", "met"];
        let mut table = Table::new(title, &columns);
        for row in rows {
            let compared = self.compare(row);
            if compared.is_empty() {
                continue;
            }
            let met = match row.goal.is_met(compared.value, compared.ratio) {
                None => "",
                Some(true) => "met",
                Some(false) => "**missed**",
            };
            table.row(vec![
                row.label.to_owned(),
                number(compared.value),
                row.against.map_or(String::new(), |_| number(compared.other)),
                row.against.map_or("", |(side, _)| side.name()).to_owned(),
                row.against.map_or(String::new(), |_| number(compared.ratio)),
                row.goal.text(),
                met.to_owned(),
            ]);
        }
        table
    }

    /// Returns every row's medians and every figure's rounds.
    pub(crate) fn json(&self, rows: &[Row]) -> Value {
        let row = |row: &Row| {
            let compared = self.compare(row);
            let object = json!({
                "work": row.label, "slipway": finite(compared.value), "beside": finite(compared.other),
                "beside_name": row.against.map(|(side, _)| side.name()), "ratio": finite(compared.ratio),
                "goal": row.goal.text(), "met": row.goal.is_met(compared.value, compared.ratio),
            });
            (!compared.is_empty()).then_some(object)
        };
        let round = |((figure, side), values): (&(String, Side), &Vec<f64>)| json!({ "figure": figure, "side": side.name(), "rounds": values });
        json!({
            "rows": rows.iter().filter_map(row).collect::<Vec<_>>(),
            "figures": self.0.iter().map(round).collect::<Vec<_>>(),
        })
    }

    fn compare(&self, row: &Row) -> Compared {
        let value = self.median(row.figure, Side::Slipway);
        let other = row.against.map_or(f64::NAN, |(side, figure)| self.median(figure, side));
        Compared { value, other, ratio: value / other }
    }
}

struct Compared {
    value: f64,
    other: f64,
    ratio: f64,
}

impl Compared {
    fn is_empty(&self) -> bool {
        self.value.is_nan() && self.other.is_nan()
    }
}

/// JSON has no NaN.
fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
