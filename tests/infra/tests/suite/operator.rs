//! What a person needs to bring a registry back: `docs/recovery.md`.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::template;

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/recovery.md")).unwrap()
}

/// Returns the right that a line with a command of the AWS CLI takes.
fn right(line: &str) -> Option<String> {
    let (_, command) = line.split_once("aws ")?;
    let mut words = command.split([' ', ')', '`', '\'']);
    let (service, action) = (words.next()?, words.next()?);
    let is_of_version = line.contains("--version-id");
    let action = match action {
        "wait" => "DescribeTable".to_owned(),
        "invoke" => "InvokeFunction".to_owned(),
        "list-object-versions" => "ListBucketVersions".to_owned(),
        _ if is_of_version => format!("{}Version", camel(action)),
        _ => camel(action),
    };
    Some(format!("{}:{action}", service.trim_end_matches("api")))
}

fn camel(words: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    words.split('-').map(capital).collect()
}

/// Returns every right that stands in a table of the page.
fn listed(page: &str) -> BTreeSet<&str> {
    let lines = page.lines().filter(|line| line.starts_with('|'));
    let quoted = lines.flat_map(|line| line.split('`').skip(1).step_by(2));
    quoted.filter(|text| text.split_once(':').is_some_and(|(service, _)| is_service(service))).collect()
}

fn is_service(name: &str) -> bool {
    ["cloudformation", "dynamodb", "ecs", "iam", "lambda", "logs", "s3", "scheduler"].contains(&name)
}

#[test]
fn each_command_of_the_page_has_its_right_in_the_table() {
    let page = page();
    let listed = listed(&page);
    let commands = page.lines().filter(|line| line.contains("aws ") && !line.starts_with('|'));
    let needed: BTreeSet<String> = commands.filter_map(right).collect();
    assert!(needed.len() >= 12, "{needed:?}");
    let missing: Vec<_> = needed.iter().filter(|right| !listed.contains(right.as_str())).collect();
    assert!(missing.is_empty(), "not in the table: {missing:?}");
}

/// What the page says: nobody has by day what it takes to delete for good or to replace the table.
#[test]
fn no_role_of_the_stack_has_the_rights_that_recovery_takes() {
    let (page, template) = (page(), template());
    let own =
        ["dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan", "dynamodb:PutItem", "dynamodb:DeleteItem"];
    let shared = own.into_iter().chain(["lambda:InvokeFunction"]);
    let shared: BTreeSet<&str> = shared.collect();
    for role in template.resources_of_type("AWS::IAM::Role") {
        for line in template.rights(role).unwrap() {
            let action = line.split(' ').next().unwrap();
            assert!(!listed(&page).contains(action) || shared.contains(action), "{role}: {line}");
        }
    }
}
