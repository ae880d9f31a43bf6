//! What Slipway costs on AWS, computed from calls that are counted, prices with a date, and stated assumptions.
//!
//! The calls are counted: pushes and pulls run through the registry's HTTP service on its adapters for DynamoDB and S3,
//! before stand-ins. The result is the marked block of `docs/cost.md`.

mod assumptions;
mod bill;
mod client;
mod image;
mod meter;
mod page;
mod parts;
mod prices;
mod report;
mod scenes;
mod tables;
mod usage;
mod world;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::assumptions::Assumptions;
use crate::bill::Accountant;
use crate::page::Page;
use crate::prices::Prices;
use crate::report::Report;

#[derive(Parser)]
#[command(about = "Writes the computed part of docs/cost.md.")]
struct Arguments {
    /// Write nothing; fail if the page is not what it would be.
    #[arg(long)]
    check: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if arguments.check { check().await } else { computed().await?.1.write() }
}

async fn check() -> Result<()> {
    let (page, computed) = computed().await?;
    ensure!(page == computed, "docs/cost.md is out of date: run `cargo run -p cost`");
    Ok(())
}

/// Returns the page as it is and as it should be.
async fn computed() -> Result<(Page, Page)> {
    let (page, prices, assumptions) = (Page::read()?, Prices::load()?, Assumptions::load()?);
    let report = Report::count(&assumptions).await?;
    let accountant = Accountant { prices: &prices, assumptions: &assumptions };
    let computed = page.with(&tables::block(&report, &accountant))?;
    Ok((page, computed))
}

#[cfg(test)]
mod tests {
    #[tokio::test(flavor = "multi_thread")]
    async fn the_page_is_up_to_date() {
        super::check().await.unwrap();
    }
}
