//! The documents: each test that they name is there, and runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A place as the documents write it, and the folders of its tests.
const PLACES: &[(&str, &[&str])] = &[
    ("registry", &["functions/lib/registry"]),
    ("contract", &["functions/lib/registry/src/testing"]),
    ("embedded", &["functions/lib/embedded"]),
    ("oci", &["functions/lib/oci"]),
    ("identities", &["functions/lib/identities"]),
    ("management", &["functions/lib/management"]),
    ("http", &["functions/lib/server"]),
    ("aws", &["functions/lib/aws"]),
    ("api", &["functions/api", "tests/aws/faults"]),
    ("relay", &["functions/relay"]),
    ("program", &["functions/local"]),
    ("model", &["tests/model"]),
    ("simulation", &["tests/simulation"]),
    ("soak", &["tests/soak"]),
    ("conformance", &["tests/conformance"]),
    ("hostile", &["tests/hostile"]),
    ("server", &["tests/server"]),
    ("archive", &["tests/archive"]),
    ("clients", &["tests/clients"]),
    ("smoke", &["tests/aws/smoke"]),
    ("infra", &["tests/infra"]),
    ("edge", &["infra/edge/test"]),
    ("fuzz", &["tests/fuzz/fuzz_targets"]),
];

/// Each with fewer tests than it names.
const DOCUMENTS: &[(&str, usize)] = &[
    ("docs/security.md", 30),
    ("docs/semantics.md", 30),
    ("docs/recovery.md", 10),
    ("docs/reliability.md", 30),
    ("docs/model.md", 3),
    ("docs/model-traces.md", 0),
    ("docs/decisions/0020-collection.md", 0),
    ("docs/decisions/0021-copies-beside-each-other.md", 3),
    ("docs/decisions/0023-a-manifest-is-read-before-it-is-deleted.md", 1),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match path.extension().and_then(|extension| extension.to_str()) {
            _ if path.is_dir() => sources(&path, found),
            Some("rs" | "mjs") => found.push(path),
            _ => {}
        }
    }
}

/// Returns what is named as `place/module::test` or `place/module`, in the document's own order.
fn named(document: &str) -> Vec<&str> {
    let quoted = document.split('`').skip(1).step_by(2);
    let is_place = |text: &&str| {
        text.split_once('/').is_some_and(|(place, rest)| {
            let is_of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
            PLACES.iter().any(|(known, _)| *known == place)
                && !rest.is_empty()
                && rest.chars().all(is_of_name)
        })
    };
    quoted.filter(is_place).collect()
}

/// Returns the names of the tests in a source: functions that are marked as such.
fn tests(source: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    let mut is_marked = false;
    for line in source.lines().map(str::trim) {
        is_marked |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.split_once("fn ").map(|(_, rest)| rest.split(['(', '<']).next().unwrap_or(rest));
        if let Some(name) = name.filter(|_| is_marked && !line.starts_with("//")) {
            found.insert(name);
            is_marked = false;
        }
    }
    found
}

/// Says what is missing of a name such as `registry/access::matrix::everybody_gets_what_the_table_says`.
fn missing(name: &str) -> Option<String> {
    let (place, rest) = name.split_once('/')?;
    let folders = PLACES.iter().find(|(known, _)| *known == place)?.1;
    let mut files = Vec::new();
    folders.iter().for_each(|folder| sources(&root().join(folder), &mut files));
    let words: Vec<&str> = rest.split("::").collect();
    let is_module = |path: &Path, module: &str| {
        let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        file.split('.').next() == Some(module) || path.parent().is_some_and(|parent| parent.ends_with(module))
    };
    let within = |modules: &[&str]| -> Vec<String> {
        let of = |path: &&PathBuf| modules.iter().all(|module| is_module(path, module));
        files.iter().filter(of).map(|path| fs::read_to_string(path).unwrap()).collect()
    };
    // A module as a whole, or the last word is a test.
    if within(&words).iter().any(|source| is_table(place) || has_tests(source)) {
        return None;
    }
    let (last, modules) = words.split_last()?;
    let sources = within(modules);
    let is_function =
        |source: &str| source.contains(&format!("fn {last}(")) || source.contains(&format!("fn {last}<"));
    let is_there = sources.iter().any(|source| {
        tests(source).contains(last) || is_listed(source, last) || is_table(place) && is_function(source)
    });
    (!is_there).then(|| format!("{name}: there is no such test in {}", folders.join(" or ")))
}

/// Whose modules are tables and programs, and not functions that are marked.
fn is_table(place: &str) -> bool {
    ["conformance", "hostile", "edge", "fuzz", "clients", "smoke", "contract"].contains(&place)
}

fn has_tests(source: &str) -> bool {
    !tests(source).is_empty() || source.contains("good_at!")
}

/// Tests that a macro makes are listed: `Must tags_are_listed,` or `manifest_put: ManifestPut,`.
fn is_listed(source: &str, test: &str) -> bool {
    source.lines().filter_map(|line| line.trim().strip_suffix(',')).any(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        matches!(words[..], [word] | [_, word] if word == test)
            || words[0].strip_suffix(':').is_some_and(|word| word == test && words.len() == 2)
    })
}

#[test]
fn each_test_that_a_document_names_is_there() {
    let mut wrong = Vec::new();
    for (document, fewer) in DOCUMENTS {
        let text = read(document);
        let names = named(&text);
        assert!(names.len() > *fewer, "{document} names {}", names.len());
        wrong.extend(names.into_iter().filter_map(missing).map(|why| format!("{document}: {why}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_test_that_is_not_there_is_noticed() {
    for name in [
        "registry/access::matrix::everybody_gets_what_nobody_wrote",
        "registry/access::nothing",
        "oci/digest::no_such_test",
        "hostile/nothing",
        "server/accounts::no_such_test",
        "conformance/manifests::no_such_case",
        "soak/no_such_test",
        "model/search::no_such_test",
    ] {
        assert!(missing(name).is_some(), "{name}");
    }
    assert_eq!(missing("registry/access::matrix"), None);
    assert_eq!(
        missing("registry/access::matrix::everybody_gets_what_the_table_says_and_refusals_change_nothing"),
        None
    );
}

/// The inventory of what others wrote is `Cargo.lock`: from one place, and known by its hash.
#[test]
fn every_dependency_is_of_the_one_registry_and_has_its_hash() {
    for lock in ["Cargo.lock", "tests/fuzz/Cargo.lock"] {
        let text = read(lock);
        let foreign: Vec<&str> =
            text.split("\n[[package]]\n").filter(|it| it.contains("\nsource = ")).collect();
        assert!(foreign.len() > 50, "{lock}");
        for package in foreign {
            let is_known =
                package.contains("source = \"registry+https://github.com/rust-lang/crates.io-index\"");
            assert!(is_known && package.contains("\nchecksum = \""), "{lock}: {package}");
        }
    }
}
