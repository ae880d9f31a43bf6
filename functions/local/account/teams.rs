//! `slipway team`.

use anyhow::Result;
use clap::Subcommand;
use registry::access::{AccountName, TeamName};
use serde_json::json;

use crate::api::Api;
use crate::output::Column;

const COLUMNS: &[Column] = &[("NAME", "name"), ("DESCRIPTION", "description")];

/// What can be done with teams.
#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Make a team, or describe it anew
    ///
    /// `slipway repo grant` gives its members a role in a repository together.
    #[command(
        visible_alias = "create",
        after_help = "Example:\n  slipway team add team devs --description 'who writes it'"
    )]
    Add {
        /// The organisation
        organisation: AccountName,
        /// The team
        name: TeamName,
        /// What it is for
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
    },
    /// List the teams of an organisation; `slipway org members` tells who is in them
    #[command(after_help = "Example:\n  slipway team ls team")]
    Ls {
        /// The organisation
        organisation: AccountName,
    },
    /// Delete a team; its members stay in the organisation
    #[command(after_help = "Example:\n  slipway team rm team devs")]
    Rm {
        /// The organisation
        organisation: AccountName,
        /// The team
        name: TeamName,
    },
    /// Put a member of the organisation into a team
    #[command(after_help = "Example:\n  slipway team add-member team devs alice")]
    AddMember {
        /// The organisation
        organisation: AccountName,
        /// The team
        name: TeamName,
        /// The member
        user: AccountName,
    },
    /// Take a member out of a team
    #[command(after_help = "Example:\n  slipway team rm-member team devs alice")]
    RmMember {
        /// The organisation
        organisation: AccountName,
        /// The team
        name: TeamName,
        /// The member
        user: AccountName,
    },
}

impl TeamCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Add { organisation, name, description } => {
                api.put(&path(&organisation, &name), Some(&json!({ "description": description }))).await?;
                api.print_done(&format!("the team {name} is in {organisation}"))
            }
            Self::Ls { organisation } => {
                api.print_list(COLUMNS, api.list(&format!("/organisations/{organisation}/teams")).await?)
            }
            Self::Rm { organisation, name } => {
                api.delete(&path(&organisation, &name)).await?;
                api.print_done(&format!("deleted {name}"))
            }
            Self::AddMember { organisation, name, user } => {
                api.put(&format!("{}/members/{user}", path(&organisation, &name)), None).await?;
                api.print_done(&format!("{user} is in {name}"))
            }
            Self::RmMember { organisation, name, user } => {
                api.delete(&format!("{}/members/{user}", path(&organisation, &name))).await?;
                api.print_done(&format!("{user} is out of {name}"))
            }
        }
    }
}

fn path(organisation: &AccountName, team: &TeamName) -> String {
    format!("/organisations/{organisation}/teams/{team}")
}
