//! `slipway repo`.

use anyhow::{Result, ensure};
use clap::{Args, Subcommand};
use oci::RepositoryName;
use registry::access::{AccountName, Role};
use registry::records::{Grantee, Visibility};
use serde_json::{Value, json};

use super::visibility;
use crate::api::{Api, segment};
use crate::output::Column;

const COLUMNS: &[Column] =
    &[("NAME", "name"), ("VISIBILITY", "visibility"), ("CREATED", "created"), ("DESCRIPTION", "description")];

const CARD: &[Column] = &[
    ("NAME", "name"),
    ("VISIBILITY", "visibility"),
    ("DESCRIPTION", "description"),
    ("IMMUTABLE TAGS", "immutable"),
    ("EXCEPT", "except"),
    ("CREATED", "created"),
    ("YOUR ROLE", "role"),
    ("GRANTS", "granted"),
];

/// What can be done with repositories.
#[derive(Debug, Subcommand)]
pub(crate) enum RepositoryCommand {
    /// List the repositories that you may pull from, one name a line
    #[command(after_help = "Example:\n  slipway repo ls --namespace team --long")]
    Ls {
        /// Only those of this user or organisation
        #[arg(long, value_name = "NAME")]
        namespace: Option<AccountName>,
        /// Also who may pull from them, and what they are
        #[arg(long, short)]
        long: bool,
    },
    /// Show the settings of a repository, and for its admins who was given a role
    #[command(after_help = "Example:\n  slipway repo show team/app")]
    Show {
        /// The repository
        name: RepositoryName,
    },
    /// Make a repository before anything is pushed to it; a push makes one too
    #[command(
        visible_alias = "add",
        after_help = "Example:\n  slipway repo create team/app --visibility public --description 'the app'"
    )]
    Create {
        /// The repository
        name: RepositoryName,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change the settings of a repository; what is not said stays
    #[command(after_help = "Example:\n  slipway repo set team/app --immutable 'v*' --except 'v*-rc*'")]
    Set {
        /// The repository
        name: RepositoryName,
        #[command(flatten)]
        settings: Settings,
    },
    /// Give a user or a team of the organisation a role
    ///
    /// pull may pull; push may also push; admin may also delete, and change the settings.
    #[command(after_help = "Example:\n  slipway repo grant team/app team:devs push")]
    Grant {
        /// The repository
        name: RepositoryName,
        /// user:NAME or team:NAME
        #[arg(value_parser = grantee)]
        grantee: Grantee,
        /// pull, push or admin
        #[arg(value_parser = role)]
        role: Role,
    },
    /// Take a role away
    #[command(after_help = "Example:\n  slipway repo revoke team/app team:devs")]
    Revoke {
        /// The repository
        name: RepositoryName,
        /// user:NAME or team:NAME
        #[arg(value_parser = grantee)]
        grantee: Grantee,
    },
    /// Delete a repository with everything in it, for its admins
    #[command(after_help = "Example:\n  slipway repo rm team/app")]
    Rm {
        /// The repository
        name: RepositoryName,
    },
}

/// What a repository is set to.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// public: everybody may pull; private: nobody who was not given a role
    #[arg(long, value_parser = visibility)]
    visibility: Option<Visibility>,
    /// What it is, in one line
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Tags that can be neither moved nor deleted once they are there (`*` and `?` stand for any characters); repeatable
    #[arg(long = "immutable", value_name = "PATTERN")]
    patterns: Vec<String>,
    /// Tags that can be, although --immutable has them; repeatable
    #[arg(long, value_name = "PATTERN", requires = "patterns")]
    except: Vec<String>,
    /// Let all tags be moved and deleted again
    #[arg(long, conflicts_with = "patterns")]
    no_immutable: bool,
}

impl RepositoryCommand {
    /// Does it.
    pub(crate) async fn run(self, api: &Api) -> Result<()> {
        match self {
            Self::Ls { namespace, long } => list(api, namespace, long).await,
            Self::Show { name } => show(api, &name).await,
            Self::Create { name, settings } => {
                let mut wanted = settings.body();
                wanted["name"] = json!(name);
                let made = api.post("/repositories", &wanted).await?;
                api.print_made(&made, &format!("made the repository {name}"))
            }
            Self::Set { name, settings } => {
                let change = settings.body();
                ensure!(change != json!({}), "nothing to set: see `slipway repo set --help`");
                api.patch(&path(&name), &change).await?;
                api.print_done(&format!("changed {name}"))
            }
            Self::Grant { name, grantee, role } => {
                api.put(&grant_path(&name, &grantee), Some(&json!({ "role": role }))).await?;
                let role = json!(role);
                api.print_done(&format!(
                    "{grantee} has the role {} in {name}",
                    role.as_str().unwrap_or_default()
                ))
            }
            Self::Revoke { name, grantee } => {
                api.delete(&grant_path(&name, &grantee)).await?;
                api.print_done(&format!("{grantee} has no role in {name}"))
            }
            Self::Rm { name } => match api.delete(&path(&name)).await? {
                true => api.print_done(&format!("deleted {name}")),
                false => {
                    api.print_done(&format!("{name} is being deleted; nothing can be pushed to it meanwhile"))
                }
            },
        }
    }
}

impl Settings {
    fn body(self) -> Value {
        let mut body = json!({});
        if let Some(visibility) = self.visibility {
            body["visibility"] = json!(visibility);
        }
        if let Some(description) = self.description {
            body["description"] = json!(description);
        }
        if self.no_immutable || !self.patterns.is_empty() {
            body["immutable_tags"] = json!({ "patterns": self.patterns, "except": self.except });
        }
        body
    }
}

async fn list(api: &Api, namespace: Option<AccountName>, is_long: bool) -> Result<()> {
    let query = namespace.map(|name| format!("?namespace={name}")).unwrap_or_default();
    let repositories = api.list(&format!("/repositories{query}")).await?;
    if is_long { api.print_list(COLUMNS, repositories) } else { api.print_names(repositories) }
}

async fn show(api: &Api, name: &RepositoryName) -> Result<()> {
    let mut repository = api.get(&path(name)).await?;
    if repository["role"] == "admin" {
        repository["grants"] = api.list(&format!("{}/grants", path(name))).await?.into();
    }
    if api.is_json() {
        return crate::api::print_json(&repository);
    }
    let roles = repository["grants"].as_array().into_iter().flatten();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let granted: Vec<String> =
        roles.map(|grant| format!("{}={}", text(&grant["grantee"]), text(&grant["role"]))).collect();
    let tags = repository["immutable_tags"].take();
    repository["immutable"] = tags["patterns"].clone();
    repository["except"] = tags["except"].clone();
    repository["granted"] = json!(granted);
    api.print(CARD, &repository)
}

/// A repository is one part of the path, its slashes escaped.
fn path(name: &RepositoryName) -> String {
    format!("/repositories/{}", segment(name.as_str()))
}

fn grant_path(name: &RepositoryName, grantee: &Grantee) -> String {
    format!("{}/grants/{}", path(name), segment(&grantee.to_string()))
}

fn grantee(text: &str) -> Result<Grantee, String> {
    text.parse().map_err(|_| "it is user:NAME, or team:NAME with a team of the organisation".to_owned())
}

fn role(text: &str) -> Result<Role, String> {
    serde_json::from_value(text.into()).map_err(|_| "it is pull, push or admin".to_owned())
}
