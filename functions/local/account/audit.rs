//! `slipway audit`.

use anyhow::Result;
use clap::Args;

use super::RegistryOption;
use crate::api::Api;
use crate::output::Column;

const COLUMNS: &[Column] = &[
    ("AT", "at"),
    ("WHO", "actor"),
    ("FROM", "address"),
    ("WHAT", "action"),
    ("TO", "target"),
    ("OUTCOME", "outcome"),
    ("DETAIL", "detail"),
];

/// What `audit` understands.
#[derive(Debug, Args)]
pub(crate) struct AuditOptions {
    #[command(flatten)]
    pub(crate) registry: RegistryOption,
    /// How many entries
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Print JSON, for programs
    #[arg(long = "json")]
    pub(crate) is_json: bool,
}

impl AuditOptions {
    /// Prints the entries, the latest first.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        api.print_list(COLUMNS, api.list_some("/audit", "before", self.limit).await?)
    }
}
