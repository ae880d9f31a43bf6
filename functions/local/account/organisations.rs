//! `slipway org`.

use anyhow::Result;
use clap::Subcommand;
use registry::access::AccountName;
use registry::records::Visibility;
use serde_json::{Value, json};

use super::visibility;
use crate::api::Api;
use crate::output::Column;

const COLUMNS: &[Column] =
    &[("NAME", "name"), ("NEW REPOSITORIES", "default_visibility"), ("CREATED", "created")];

const MEMBERS: &[Column] = &[("NAME", "name"), ("ROLE", "role"), ("TEAMS", "teams"), ("SINCE", "since")];

/// What can be done with organisations.
#[derive(Debug, Subcommand)]
pub(crate) enum OrganisationCommand {
    /// Make an organisation; you are its first owner
    #[command(visible_alias = "create", after_help = "Example:\n  slipway org add team")]
    Add {
        /// The organisation; the repositories whose names begin with it are its own
        name: AccountName,
    },
    /// List the organisations: yours, or all of them for administrators
    #[command(after_help = "Example:\n  slipway org ls")]
    Ls,
    /// Show an organisation
    #[command(after_help = "Example:\n  slipway org show team")]
    Show {
        /// The organisation
        name: AccountName,
    },
    /// Say what an organisation's new repositories are
    #[command(after_help = "Example:\n  slipway org set team --default-visibility public")]
    Set {
        /// The organisation
        name: AccountName,
        /// public: everybody may pull from them; private: nobody who was not given a role
        #[arg(long, value_name = "VISIBILITY", value_parser = visibility)]
        default_visibility: Visibility,
    },
    /// Delete an organisation that has no repositories; the name stays taken
    #[command(after_help = "Example:\n  slipway org rm team")]
    Rm {
        /// The organisation
        name: AccountName,
    },
    /// List the members of an organisation
    #[command(after_help = "Example:\n  slipway org members team")]
    Members {
        /// The organisation
        name: AccountName,
    },
    /// Make a user a member, or change what the member is
    ///
    /// Members may do what their teams were given with `slipway repo grant`. Owners manage the organisation, and may do
    /// everything in its repositories. An owner whom you make one is asked to agree: `slipway org accept`.
    #[command(after_help = "Example:\n  slipway org add-member team alice --owner")]
    AddMember {
        /// The organisation
        name: AccountName,
        /// The user
        user: AccountName,
        /// Make the user an owner, who manages the organisation
        #[arg(long)]
        owner: bool,
    },
    /// Agree to be an owner, after another owner made you one
    ///
    /// Until then you may leave at any time (`slipway org rm-member`), and nobody can leave the organisation to you.
    #[command(after_help = "Example:\n  slipway org accept team")]
    Accept {
        /// The organisation
        name: AccountName,
    },
    /// Take a user out of an organisation and its teams
    ///
    /// Everybody may take themselves out, but for the only owner who agreed to be one.
    #[command(after_help = "Example:\n  slipway org rm-member team alice")]
    RmMember {
        /// The organisation
        name: AccountName,
        /// The user
        user: AccountName,
    },
}

impl OrganisationCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Add { name } => {
                let made = api.post("/organisations", &json!({ "name": name })).await?;
                api.print_made(&made, &format!("made the organisation {name}"))
            }
            Self::Ls => api.print_list(COLUMNS, organisations(api).await?),
            Self::Show { name } => api.print(COLUMNS, &api.get(&format!("/organisations/{name}")).await?),
            Self::Set { name, default_visibility } => {
                let change = json!({ "default_visibility": default_visibility });
                api.patch(&format!("/organisations/{name}"), &change).await?;
                api.print_done(&format!("new repositories are what you said, for {name}"))
            }
            Self::Rm { name } => {
                api.delete(&format!("/organisations/{name}")).await?;
                api.print_done(&format!("deleted {name}"))
            }
            Self::Members { name } => {
                api.print_list(MEMBERS, api.list(&format!("/organisations/{name}/members")).await?)
            }
            Self::AddMember { name, user, owner } => {
                let role = if owner { "owner" } else { "member" };
                let path = format!("/organisations/{name}/members/{user}");
                api.put(&path, Some(&json!({ "role": role }))).await?;
                api.print_done(&format!("{user} is {role} of {name}"))
            }
            Self::Accept { name } => {
                let me = api.get("/me").await?;
                let path =
                    format!("/organisations/{name}/members/{}", me["name"].as_str().unwrap_or_default());
                api.put(&path, Some(&json!({ "role": "owner" }))).await?;
                api.print_done(&format!("you are an owner of {name}"))
            }
            Self::RmMember { name, user } => {
                api.delete(&format!("/organisations/{name}/members/{user}")).await?;
                api.print_done(&format!("{user} is out of {name}"))
            }
        }
    }
}

async fn organisations(api: &Api) -> Result<Vec<Value>> {
    let me = api.get("/me").await?;
    if me["is_administrator"] == true || me["kind"] == "everybody" {
        return api.list("/organisations").await;
    }
    let mut organisations = Vec::new();
    for name in me["organisations"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        organisations.push(api.get(&format!("/organisations/{name}")).await?);
    }
    Ok(organisations)
}
