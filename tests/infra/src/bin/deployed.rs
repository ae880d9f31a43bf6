//! Prints the resources of a template as they are deployed, as JSON: `deployed TEMPLATE NAME=VALUE…`.
//!
//! Names are those of parameters, pseudo parameters and dynamic references (`{{resolve:…}}`).

use std::collections::HashMap;

use anyhow::{Context, Result};
use infra_tests::Template;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let template = Template::load(arguments.next().context("usage: deployed TEMPLATE NAME=VALUE…")?)?;
    let values = arguments.map(|pair| {
        let (name, value) = pair.split_once('=').with_context(|| format!("{pair} is not NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    });
    let values: HashMap<String, String> = values.collect::<Result<_>>()?;
    println!("{}", template.deployed(&|name| values.get(name).cloned())?);
    Ok(())
}
