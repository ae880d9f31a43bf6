//! `slipway token`.

use anyhow::Result;
use clap::Subcommand;
use registry::access::{RobotName, Scope};
use serde_json::{Value, json};

use super::OwnerOption;
use super::scope::{body, scope};
use crate::api::{Api, segment};
use crate::output::{Column, printable};

const COLUMNS: &[Column] = &[
    ("ID", "id"),
    ("KIND", "kind"),
    ("ROBOT", "robot"),
    ("LABEL", "label"),
    ("SCOPES", "scopes"),
    ("EXPIRES", "expires"),
    ("LAST USED", "last_used"),
    ("STATE", "state"),
];

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, which is a password for programs; it is printed once
    ///
    /// Without --robot it is your own, and without --scope it may do what you may. Standard output is the token and
    /// nothing else.
    #[command(
        visible_alias = "add",
        after_help = "Examples:
  slipway token create --label laptop --scope '*:pull'
  slipway token create --account team --robot ci --scope 'team/*:pull,push' --expires 30d
  slipway token create | docker login registry.example.com -u alice --password-stdin"
    )]
    Create {
        #[command(flatten)]
        owner: OwnerOption,
        /// What it is for, so that you know it in the list
        #[arg(long, default_value = "", hide_default_value = true)]
        label: String,
        /// Make it for this robot of the account, who logs in as ACCOUNT+ROBOT; it needs --scope
        #[arg(long, value_name = "NAME")]
        robot: Option<RobotName>,
        /// What it may do: repositories (`*` and `?` stand for any characters), and pull, push or delete; repeatable
        #[arg(long = "scope", value_name = "REPOSITORIES:PERMISSIONS", value_parser = scope)]
        scopes: Vec<Scope>,
        /// How long it lives, a year at most [default: 90d]
        #[arg(long, value_name = "DAYS", value_parser = days)]
        expires: Option<u32>,
    },
    /// List tokens and logins, without their secrets
    #[command(after_help = "Example:\n  slipway token ls --account team")]
    Ls {
        #[command(flatten)]
        owner: OwnerOption,
    },
    /// End a token or login
    #[command(after_help = "Example:\n  slipway token revoke 3vQb9mJt2Lk")]
    Revoke {
        /// As `slipway token ls` lists it
        id: String,
        #[command(flatten)]
        owner: OwnerOption,
    },
}

impl TokenCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Create { owner, label, robot, scopes, expires } => {
                let account = owner.name(api).await?;
                let mut wanted = json!({ "label": label, "robot": robot, "expires_in_days": expires });
                if !scopes.is_empty() {
                    wanted["scopes"] = body(&scopes).into();
                }
                let made = api.post(&format!("/accounts/{account}/tokens"), &wanted).await?;
                let user = robot.map_or_else(|| account.clone(), |robot| format!("{account}+{robot}"));
                api.print_secret(&made, "token", &words(&made, &user))
            }
            Self::Ls { owner } => {
                let path = format!("/accounts/{}/tokens", owner.name(api).await?);
                api.print_list(COLUMNS, api.list(&path).await?)
            }
            Self::Revoke { id, owner } => {
                api.delete(&format!("/accounts/{}/tokens/{}", owner.name(api).await?, segment(&id))).await?;
                api.print_done(&format!("revoked {id}"))
            }
        }
    }
}

fn words(made: &Value, user: &str) -> String {
    let text = |field: &str| printable(made[field].as_str().unwrap_or("never")).into_owned();
    format!(
        "The token {} is the password of {user} until {}. It is not shown again:",
        text("id"),
        text("expires")
    )
}

/// Reads `30d` or `30`.
fn days(text: &str) -> Result<u32, String> {
    let count = text.strip_suffix('d').unwrap_or(text).parse();
    count.map_err(|_| "it is a number of days, for example 30d".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_life_is_a_number_of_days() {
        assert_eq!(days("30d"), Ok(30));
        assert_eq!(days("7"), Ok(7));
        for bad in ["", "d", "1w", "-1", "1.5d"] {
            assert!(days(bad).is_err(), "{bad:?}");
        }
    }
}
