//! `slipway trust`.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Subcommand;
use registry::access::{RobotName, Scope};
use serde_json::json;

use super::OwnerOption;
use super::scope::{body, scope};
use crate::api::{Api, segment};
use crate::output::Column;

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("ROBOT", "robot"),
    ("ISSUER", "issuer"),
    ("AUDIENCE", "audience"),
    ("CLAIMS", "claims"),
    ("SCOPES", "scopes"),
];

/// What can be done with trusts.
#[derive(Debug, Subcommand)]
pub(crate) enum TrustCommand {
    /// Let whom an OIDC issuer vouches for act as a robot, without any stored secret; for administrators
    ///
    /// This is how a CI job logs in: the name is ACCOUNT+ROBOT, and the password is the token that its CI gives it.
    #[command(
        visible_alias = "create",
        after_help = "Example:
  slipway trust add --account team --robot ci --scope 'team/*:pull,push' --audience registry.example.com \\
    --issuer https://token.actions.githubusercontent.com --claim 'sub=repo:acme/app:ref:refs/heads/main'"
    )]
    Add {
        #[command(flatten)]
        owner: OwnerOption,
        /// The robot that it lets somebody act as
        #[arg(long, value_name = "NAME")]
        robot: RobotName,
        /// What the robot may do then; repeatable
        #[arg(long = "scope", value_name = "REPOSITORIES:PERMISSIONS", value_parser = scope, required = true)]
        scopes: Vec<Scope>,
        /// The issuer, exactly as in the token's `iss`: https, or http on the very machine that the registry runs on
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// What has to be in the token's `aud`
        #[arg(long, value_name = "TEXT")]
        audience: String,
        /// What another claim has to be; `*` and `?` stand for any characters; repeatable
        #[arg(long = "claim", value_name = "NAME=PATTERN", value_parser = claim, required = true)]
        claims: Vec<(String, String)>,
    },
    /// List whom the account's robots can be
    #[command(after_help = "Example:\n  slipway trust ls --account team")]
    Ls {
        #[command(flatten)]
        owner: OwnerOption,
    },
    /// Trust no longer, for administrators
    ///
    /// Within seconds nothing more can be pushed or deleted by it; an access token that was made already pulls until it ends,
    /// for five minutes at most.
    #[command(after_help = "Example:\n  slipway trust rm 3vQb9mJt2Lk --account team")]
    Rm {
        /// As `slipway trust ls` lists it
        id: String,
        #[command(flatten)]
        owner: OwnerOption,
    },
}

impl TrustCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Add { owner, robot, scopes, issuer, audience, claims } => {
                let path = format!("/accounts/{}/trusts", owner.name(api).await?);
                let claims: BTreeMap<_, _> = claims.into_iter().collect();
                let wanted = json!({
                    "issuer": issuer, "audience": audience, "claims": claims, "robot": robot, "scopes": body(&scopes),
                });
                let made = api.post(&path, &wanted).await?;
                api.print_made(&made, &format!("made {}", made["id"].as_str().unwrap_or_default()))
            }
            Self::Ls { owner } => {
                let path = format!("/accounts/{}/trusts", owner.name(api).await?);
                api.print_list(COLUMNS, api.list(&path).await?)
            }
            Self::Rm { id, owner } => {
                api.delete(&format!("/accounts/{}/trusts/{}", owner.name(api).await?, segment(&id))).await?;
                api.print_done(&format!("deleted {id}"))
            }
        }
    }
}

fn claim(text: &str) -> Result<(String, String), String> {
    let (name, pattern) = text.split_once('=').ok_or("it is NAME=PATTERN, for example 'sub=repo:acme/*'")?;
    Ok((name.to_owned(), pattern.to_owned()))
}
