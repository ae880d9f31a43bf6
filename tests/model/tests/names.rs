//! The names of the steps are those of the registry's functions, and the document says where each of them is.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What is no function of the registry: what a client does past it, who is done, and what only mutants do.
const OTHERS: [&str; 3] = ["DirectPut", "Gone", "EdgesAfterCommit"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the steps of the model.
fn steps() -> Vec<String> {
    let source = read("tests/model/src/actor.rs");
    let (_, steps) = source.split_once("pub enum Step {").unwrap();
    let (steps, _) = steps.split_once('}').unwrap();
    let names = steps.lines().filter_map(|line| line.trim().strip_suffix(','));
    names.filter(|name| !OTHERS.contains(name)).map(str::to_owned).collect()
}

/// Returns the function of a step; what ends in `Rest` is what it does in its further transactions.
fn function(step: &str) -> String {
    let step = step.strip_suffix("Rest").unwrap_or(step);
    let letters = step.chars().enumerate().flat_map(|(at, letter)| {
        let gap = (at > 0 && letter.is_uppercase()).then_some('_');
        gap.into_iter().chain(letter.to_lowercase())
    });
    letters.collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Returns in which sources of the registry the document says that each step is.
fn places() -> BTreeMap<String, String> {
    let document = read("docs/model.md");
    let rows = document.lines().map(|line| line.split('|').collect::<Vec<_>>());
    let rows = rows.filter(|cells| cells.len() == 5);
    let places = rows.flat_map(|cells| {
        let files = quoted(cells[2]).filter(|text| text.ends_with(".rs"));
        let paths: Vec<String> = files.map(|file| format!("functions/lib/registry/src/{file}")).collect();
        let paths = paths.iter().filter(|path| root().join(path).exists());
        let source: String = paths.map(|path| read(path)).collect();
        quoted(cells[1]).map(|step| (step.to_owned(), source.clone())).collect::<Vec<_>>()
    });
    places.collect()
}

#[test]
fn every_step_is_a_function_of_the_registry_where_the_document_says() {
    let places = places();
    let is_missing = |step: &String| {
        let name = function(step);
        let is_there = |source: &String| {
            [format!("fn {name}("), format!("fn {name}<")].iter().any(|start| source.contains(start))
        };
        !places.get(step).is_some_and(is_there)
    };
    let (steps, missing): (usize, Vec<String>) =
        (steps().len(), steps().into_iter().filter(is_missing).collect());
    assert!(steps > 40, "{steps} steps were read");
    assert!(missing.is_empty(), "not where docs/model.md says, or not a function: {missing:?}");
}
