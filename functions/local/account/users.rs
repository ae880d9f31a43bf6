//! `slipway user`.

use anyhow::Result;
use clap::Subcommand;
use registry::access::AccountName;
use registry::records::Visibility;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::visibility;
use crate::api::Api;
use crate::output::Column;
use crate::password::PasswordOptions;

const COLUMNS: &[Column] = &[
    ("NAME", "name"),
    ("ADMINISTRATOR", "is_administrator"),
    ("DISABLED", "is_disabled"),
    ("NEW REPOSITORIES", "default_visibility"),
    ("CREATED", "created"),
];

const CARD: &[Column] = &[
    ("NAME", "name"),
    ("ADMINISTRATOR", "is_administrator"),
    ("DISABLED", "is_disabled"),
    ("ORGANISATIONS", "organisations"),
    ("NEW REPOSITORIES", "default_visibility"),
    ("CREATED", "created"),
];

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make a user
    ///
    /// The first user of a registry that was open to everybody is an administrator, and closes it. In a data folder
    /// without a registry this makes one.
    #[command(visible_alias = "create", after_help = "Example:\n  slipway user add alice --admin")]
    Add {
        /// The user; the repositories whose names begin with it are the user's
        name: AccountName,
        /// Make the user an administrator, who may do everything in this registry
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        password: PasswordOptions,
    },
    /// List the users, for administrators
    #[command(after_help = "Example:\n  slipway user ls --json")]
    Ls,
    /// Show a user
    #[command(after_help = "Example:\n  slipway user show --registry registry.example.com")]
    Show {
        /// The user [default: the one who is logged in]
        name: Option<AccountName>,
    },
    /// Set a password, which ends all logins with the old one
    ///
    /// Whoever sets their own has to know the old one; by --password-stdin it is the first line, and the new one the
    /// second.
    #[command(after_help = "Example:\n  slipway user passwd alice")]
    Passwd {
        /// The user [default: the one who is logged in]
        name: Option<AccountName>,
        #[command(flatten)]
        password: PasswordOptions,
    },
    /// Say what a user's new repositories are
    #[command(after_help = "Example:\n  slipway user set alice --default-visibility public")]
    Set {
        /// The user
        name: AccountName,
        /// public: everybody may pull from them; private: nobody who was not given a role
        #[arg(long, value_name = "VISIBILITY", value_parser = visibility)]
        default_visibility: Visibility,
    },
    /// Make a user an administrator, or no longer one
    #[command(after_help = "Example:\n  slipway user admin alice --revoke")]
    Admin {
        /// The user
        name: AccountName,
        /// Make the user an ordinary one
        #[arg(long)]
        revoke: bool,
    },
    /// Keep a user out, without deleting anything
    ///
    /// Nobody can log in as the user from now on, or change anything within seconds. An access token that was made already
    /// pulls until it ends, for five minutes at most.
    #[command(after_help = "Example:\n  slipway user disable alice")]
    Disable {
        /// The user
        name: AccountName,
    },
    /// Let a user in again
    #[command(after_help = "Example:\n  slipway user enable alice")]
    Enable {
        /// The user
        name: AccountName,
    },
    /// Delete a user that has no repositories; the name stays taken
    #[command(after_help = "Example:\n  slipway user rm alice")]
    Rm {
        /// The user
        name: AccountName,
    },
}

impl UserCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Add { name, admin, password } => add(api, &name, admin, &password).await,
            Self::Ls => api.print_list(COLUMNS, api.list("/users").await?),
            Self::Show { name } => show(api, name).await,
            Self::Passwd { name, password } => set_password(api, name, &password).await,
            Self::Set { name, default_visibility } => {
                let change = json!({ "default_visibility": default_visibility });
                change_user(api, &name, &change, "new repositories are what you said, for").await
            }
            Self::Admin { name, revoke } => {
                let done = if revoke { "no administrator any more:" } else { "an administrator now:" };
                change_user(api, &name, &json!({ "is_administrator": !revoke }), done).await
            }
            Self::Disable { name } => {
                change_user(api, &name, &json!({ "is_disabled": true }), "disabled").await
            }
            Self::Enable { name } => {
                change_user(api, &name, &json!({ "is_disabled": false }), "enabled").await
            }
            Self::Rm { name } => {
                api.delete(&format!("/users/{name}")).await?;
                api.print_done(&format!("deleted {name}"))
            }
        }
    }
}

async fn add(
    api: &Api,
    name: &AccountName,
    is_administrator: bool,
    password: &PasswordOptions,
) -> Result<()> {
    let password = password.new_one(&format!("Password of {name}: "))?;
    let password = password.expose_secret();
    let user = json!({ "name": name, "password": password, "is_administrator": is_administrator });
    let made = api.post("/users", &user).await?;
    let kind = if made["is_administrator"] == true { "administrator" } else { "user" };
    api.print_made(&made, &format!("made the {kind} {name}"))
}

async fn show(api: &Api, name: Option<AccountName>) -> Result<()> {
    let name = named(api, name).await?;
    let mut user = api.get(&format!("/users/{name}")).await?;
    user["organisations"] = Value::Array(api.list(&format!("/users/{name}/organisations")).await?);
    api.print(CARD, &user)
}

async fn set_password(api: &Api, name: Option<AccountName>, password: &PasswordOptions) -> Result<()> {
    let me = api.get("/me").await?;
    let name = named(api, name).await?;
    let mut change = json!({});
    if me["kind"] == "user" && me["name"] == name.as_str() {
        change["old_password"] = password.known(&format!("Old password of {name}: "))?.expose_secret().into();
    }
    change["password"] = password.new_one(&format!("New password of {name}: "))?.expose_secret().into();
    api.patch(&format!("/users/{name}"), &change).await?;
    api.print_done(&format!("{name} has a new password, and has to log in with it"))
}

async fn named(api: &Api, name: Option<AccountName>) -> Result<String> {
    match name {
        Some(name) => Ok(name.to_string()),
        None => api.me("NAME").await,
    }
}

async fn change_user(api: &Api, name: &AccountName, change: &Value, done: &str) -> Result<()> {
    api.patch(&format!("/users/{name}"), change).await?;
    api.print_done(&format!("{done} {name}"))
}
