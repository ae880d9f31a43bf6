//! What the templates in infra/ promise.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod api;
mod documents;
mod functions;
mod lint;
mod operator;
mod parameters;
mod references;
mod relay;
mod rights;
mod stacks;
mod storage;

use infra_tests::Template;

fn template() -> Template {
    named("template.yaml")
}

/// Reads one of the templates in infra/.
fn named(file: &str) -> Template {
    Template::load(path(file)).unwrap()
}

fn path(file: &str) -> String {
    format!("{}/../../infra/{file}", env!("CARGO_MANIFEST_DIR"))
}

const FILES: [&str; 4] = ["template.yaml", "edge.yaml", "relay.yaml", "monitoring.yaml"];
