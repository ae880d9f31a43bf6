//! Everything that a template refers to is there.

use std::collections::BTreeSet;

use infra_tests::{Reference, Template, references};

use crate::{FILES, named};

const PSEUDO_PARAMETERS: [&str; 7] = [
    "AWS::AccountId",
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::StackId",
    "AWS::StackName",
    "AWS::URLSuffix",
];

fn is_there(template: &Template, reference: &Reference) -> bool {
    let resources = template.section("Resources");
    match reference {
        Reference::Name(name) => {
            let known = template.section("Parameters").contains_key(name) || resources.contains_key(name);
            known || PSEUDO_PARAMETERS.contains(&name.as_str())
        }
        Reference::Attribute { name, .. } | Reference::DependsOn(name) => resources.contains_key(name),
        Reference::Condition(name) => template.section("Conditions").contains_key(name),
    }
}

#[test]
fn every_reference_resolves() {
    for file in FILES {
        let template = named(file);
        for section in ["Conditions", "Globals", "Outputs", "Resources", "Rules"] {
            for reference in references(&template.document()[section]) {
                assert!(is_there(&template, &reference), "{file}: {reference:?}");
            }
        }
    }
}

#[test]
fn every_parameter_and_condition_is_used() {
    for file in FILES {
        let template = named(file);
        let used: BTreeSet<_> = references(template.document()).into_iter().collect();
        for name in template.section("Parameters").keys() {
            assert!(used.contains(&Reference::Name(name.clone())), "{file}: parameter {name}");
        }
        for name in template.section("Conditions").keys() {
            assert!(used.contains(&Reference::Condition(name.clone())), "{file}: condition {name}");
        }
    }
}

#[test]
fn a_missing_reference_is_noticed() {
    let broken = Template::parse("Resources: {A: {Type: x, Properties: {B: !Ref Nobody}}}").unwrap();
    let found = references(&broken.document()["Resources"]);
    assert_eq!(found, [Reference::Name("Nobody".to_owned())]);
    assert!(!is_there(&broken, &found[0]));
}
