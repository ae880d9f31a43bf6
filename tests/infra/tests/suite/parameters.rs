//! What an operator may choose, and what happens to those who choose nothing.

use crate::{FILES, named, path, template};

#[test]
fn every_parameter_is_described_and_typed() {
    for file in FILES {
        for (name, parameter) in named(file).section("Parameters") {
            let description = parameter["Description"].as_str().unwrap_or_default();
            assert!(description.ends_with('.') && description.len() > 10, "{file}: {name}");
            assert!(parameter["Type"].is_string(), "{file}: {name}");
        }
    }
}

#[test]
fn nothing_has_to_be_answered_and_the_defaults_are_the_safe_ones() {
    let template = template();
    for (name, parameter) in template.section("Parameters") {
        assert!(!parameter["Default"].is_null(), "{name}");
    }
    for (name, default) in [
        ("WithEdge", "yes"),
        ("WithRelay", "no"),
        ("Uploads", "presigned"),
        ("HeadLength", "header"),
        ("AlarmEmail", ""),
        ("SecretsEndpoint", ""),
    ] {
        assert_eq!(template.section("Parameters")[name]["Default"], default, "{name}");
    }
}

#[test]
fn every_parameter_has_a_row_in_the_readme() {
    let readme = std::fs::read_to_string(path("README.md")).unwrap();
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    for name in template().section("Parameters").keys() {
        let quoted = format!("`{name}`");
        let is_row = |row: &&str| row.split('|').nth(1).is_some_and(|cell| cell.contains(&quoted));
        assert!(rows.iter().any(is_row), "{name}");
    }
}

/// No parameter lets everybody in, and no variable either.
#[test]
fn there_is_no_open_registry() {
    for file in FILES {
        assert!(!named(file).section("Parameters").contains_key("Access"), "{file}");
        assert!(!std::fs::read_to_string(path(file)).unwrap().contains("SLIPWAY_ACCESS"), "{file}");
    }
}

/// Parameters are shown to all who may look at the stack.
#[test]
fn no_parameter_is_a_secret() {
    for (name, parameter) in template().section("Parameters") {
        assert!(parameter.get("NoEcho").is_none(), "{name}");
    }
}

#[test]
fn a_choice_is_one_of_its_allowed_values() {
    for file in FILES {
        for (name, parameter) in named(file).section("Parameters") {
            let Some(allowed) = parameter["AllowedValues"].as_array() else { continue };
            let default = &parameter["Default"];
            assert!(allowed.contains(default), "{file}: {name} is {default} by default");
        }
    }
}

/// YAML 1.1, which AWS reads, takes a bare `yes` for a truth value; the parser of these tests reads 1.2.
#[test]
fn no_word_is_taken_for_a_truth_value() {
    for file in FILES {
        let text = std::fs::read_to_string(path(file)).unwrap();
        for word in ["yes", "no", "on", "off"] {
            for end in
                [format!(": {word}\n"), format!("[{word},"), format!(", {word},"), format!(", {word}]")]
            {
                assert!(!text.contains(&end), "{file}: {end}");
            }
        }
    }
}

#[test]
fn no_parameter_has_the_name_of_a_resource() {
    for file in FILES {
        let template = named(file);
        let shared = template.section("Parameters").keys().find(|name| template.resource(name).is_some());
        assert_eq!(shared, None, "{file}");
    }
}

/// The name of a rule, and the choice that must not go through without the others.
#[test]
fn choices_that_need_others_are_refused_without_them() {
    let template = template();
    let rules = template.section("Rules");
    let mut named: Vec<_> = rules.keys().map(String::as_str).collect();
    named.sort_unstable();
    assert_eq!(
        named,
        ["CapabilityNeedsEdge", "DomainNeedsEdgeAndCertificate", "RelayNeedsEdgeImageAndNetwork"]
    );
    let relay = rules["RelayNeedsEdgeImageAndNetwork"]["Assertions"].to_string();
    for parameter in ["WithEdge", "RelayImage", "RelayVpc", "RelaySubnets", "RelayPrefixList"] {
        assert!(relay.contains(&format!("\"{parameter}\"")), "{parameter}");
    }
}
