//! The command line.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use oci::{Digest, RepositoryName, Tag};

use crate::account::audit::AuditOptions;
use crate::account::login::{LoginOptions, LogoutOptions};
use crate::account::organisations::OrganisationCommand;
use crate::account::repositories::RepositoryCommand;
use crate::account::teams::TeamCommand;
use crate::account::tokens::TokenCommand;
use crate::account::trusts::TrustCommand;
use crate::account::users::UserCommand;
use crate::account::{Asking, RegistryOption};
use crate::export::ExportOptions;
use crate::import::ImportOptions;
use crate::repair::RepairOptions;
use crate::serve_settings::Makers;
use crate::smoke::SmokeOptions;
use crate::times::{day_or_longer, duration, long_duration, whole_days};

const ENVIRONMENT: &str =
    "Environment (an empty variable counts as unset; an option on the command line wins):
  SLIPWAY_DATA                 as --data
  SLIPWAY_LISTEN               as --listen
  SLIPWAY_LOG                  as --log
  SLIPWAY_CONFIG               as --config
  SLIPWAY_REGISTRY             as --registry, for commands without --data
  DOCKER_CONFIG                folder of docker's config.json, where credentials are kept
  SLIPWAY_AUTH                 true: as --auth
  SLIPWAY_ADMIN_PASSWORD_FILE  as --admin-password-file
  SLIPWAY_OPEN                 true: as --open
  SLIPWAY_TLS_CERT             as --tls-cert
  SLIPWAY_TLS_KEY              as --tls-key
  SLIPWAY_URL                  as --url
  SLIPWAY_TRUST_PROXY          true: as --trust-proxy
  SLIPWAY_PRIVATE_ISSUERS      true: as --private-issuers
  SLIPWAY_ORGANISATIONS        as --organisations
  SLIPWAY_GC_EVERY             as --gc-every
  SLIPWAY_GC_UNTAGGED          as --gc-untagged
  SLIPWAY_GC_HISTORY           as --gc-history
  SLIPWAY_GC_TRASH             as --gc-trash

The configuration file is TOML. Its keys are the long options without the dashes before them, such as data,
listen, auth = true or tls-cert.";

/// A container registry on one machine.
///
/// Without a command it starts the registry.
#[derive(Debug, Parser)]
#[command(name = "slipway", version, after_help = ENVIRONMENT)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) options: Options,
    #[command(flatten)]
    pub(crate) serve: ServeOptions,
    /// Registry to ask, written before the command; commands that ask one tell of it
    #[arg(long, value_name = "URL", hide = true)]
    pub(crate) registry: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command understands.
#[derive(Debug, Default, Args)]
pub(crate) struct Options {
    /// Folder that holds everything the registry stores [default: slipway in the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// What to log: error, warn, info, debug, trace, or a tracing filter [default: info]
    #[arg(long, global = true, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// Configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// What `serve` understands.
#[derive(Debug, Default, Args)]
#[command(next_display_order = 10)]
pub(crate) struct ServeOptions {
    /// Address and port to listen on, or a port of this machine alone; `:PORT` is all addresses, and port 0 any free one
    /// [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) listen: Option<SocketAddr>,
    /// Let nobody in without an account, from the first start on
    ///
    /// While there is no account, the start makes the administrator `admin` and prints a random password, once. A
    /// registry that has accounts asks for them with or without this option.
    #[arg(long, conflicts_with = "open")]
    pub(crate) auth: bool,
    /// File whose first line is the password that --auth gives the first administrator, instead of a random one
    #[arg(long, value_name = "FILE")]
    pub(crate) admin_password_file: Option<PathBuf>,
    /// Let everybody who can reach the registry pull, push and delete everything, until there is an account
    ///
    /// On an address of this machine alone that is so without the option; on others the registry does not start
    /// without accounts, --auth or this.
    #[arg(long)]
    pub(crate) open: bool,
    /// Speak https: file with the certificate, and with those that lead from it to the root (PEM)
    ///
    /// When the files change, new connections get the new certificate.
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// File with the private key of the certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Address under which clients know the registry, such as `https://registry.example.com`; they log in there
    /// [default: whatever host they ask]
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Believe the last element of X-Forwarded-For about who asks, and of X-Forwarded-Host and X-Forwarded-Proto about
    /// what was asked; only for a registry that is reached through a proxy alone
    ///
    /// Failed logins are counted for each address. Without this option all of a proxy's clients count as one, and clients log
    /// in at the host that the proxy asks, unless --url says where.
    #[arg(long)]
    pub(crate) trust_proxy: bool,
    /// Ask issuers of identity tokens in private networks too, such as one's own GitLab
    ///
    /// Without this option an issuer, and where its keys are, has to be at a public address. It is for whole networks: an
    /// administrator who names an issuer decides what in them is asked.
    #[arg(long)]
    pub(crate) private_issuers: bool,
    /// Who may make organisations [default: anybody]
    #[arg(long, value_name = "WHO", value_enum)]
    pub(crate) organisations: Option<Makers>,
    #[command(flatten)]
    pub(crate) collection: CollectionOptions,
}

/// What the garbage collection understands; `slipway gc` goes by the environment and the file, too.
#[derive(Debug, Default, Args)]
#[command(next_display_order = 30)]
pub(crate) struct CollectionOptions {
    /// How often garbage is collected while the registry runs, such as 10m or 1h; `off` leaves it to `slipway gc`
    /// [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) gc_every: Option<Duration>,
    /// Collect also manifests that had no tag for so long, such as 30d, and that no index lists; `off` keeps them
    /// [default: off]
    ///
    /// It counts from the last push of the manifest, or from when its last tag left; a day is the least. What refers to a
    /// manifest that is there, such as a signature, stays with it.
    #[arg(long, value_name = "TIME", value_parser = day_or_longer)]
    pub(crate) gc_untagged: Option<Duration>,
    /// How long a manifest is kept after a tag has left it, so that `slipway tag restore` can put the tag back
    /// [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = long_duration)]
    pub(crate) gc_history: Option<Duration>,
    /// How many days collected blobs are kept in the trash, for `slipway undelete`; 0 deletes them at once [default: 7d]
    #[arg(long, value_name = "DAYS", value_parser = whole_days)]
    pub(crate) gc_trash: Option<u16>,
    /// How long a blob is kept that no manifest needs; uploads seven times as long, for tests
    #[arg(long, value_name = "TIME", value_parser = duration, hide = true)]
    pub(crate) lease: Option<Duration>,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the registry (also what happens without a command)
    Serve(ServeOptions),
    /// Check everything that is stored; exits with 1 when a promise is broken
    ///
    /// The registry must not be running. Garbage is listed, and is no error.
    Fsck {
        /// Also read every blob and compare its digest
        #[arg(long)]
        deep: bool,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// Put right what fsck finds; exits with 1 when something is lost, and says what to push again
    ///
    /// The registry must not be running. Every blob is read. Nothing is deleted: what is damaged, or leads nowhere, goes
    /// into the folder quarantine of the data folder. A manifest whose blobs are lost is hidden until it is pushed again.
    #[command(after_help = "Example:\n  slipway repair --dry-run")]
    Repair(RepairOptions),
    /// Copy repositories into a folder: one OCI image layout for each, with its settings
    ///
    /// Manifests without a tag and referrers are copied too; passwords and tokens are not. What is there already and
    /// whole is not copied again, so that a second run goes on where the first one ended. Images in docker's own format
    /// stay as they are: `slipway import` reads them, but not every program finds them in a layout by their tag.
    #[command(after_help = "Examples:
  slipway export --to /backup
  slipway export team/app --registry registry.example.com --to /backup")]
    Export(ExportOptions),
    /// Copy repositories from a folder that `slipway export` has written
    ///
    /// What is there already is not sent again, and tags come last. Any OCI image layout can be imported: the
    /// repository is called as its folder is, with a slash for each plus sign.
    #[command(after_help = "Example:\n  slipway import --from /backup --registry registry.example.com")]
    Import(ImportOptions),
    /// Collect garbage: delete what nobody needs
    ///
    /// A running registry does that by itself (see --gc-every), and is asked by this command to do it now. Blobs are
    /// kept for a day after they were pushed, and collected ones for some days in the trash.
    #[command(after_help = "Example:\n  slipway gc --dry-run")]
    Gc(GcOptions),
    /// Bring collected blobs back from the trash, into a repository
    ///
    /// They are kept there as if they had just been pushed: for a day, or as long as a manifest needs them.
    #[command(after_help = "Example:\n  slipway undelete team/app sha256:4f53cda18c2baa0c…")]
    Undelete {
        /// The repository
        repository: RepositoryName,
        /// Their digests
        #[arg(required = true)]
        digests: Vec<Digest>,
    },
    /// Log in to a registry; docker is logged in then too
    ///
    /// What is kept is a token, which `slipway token ls` lists and `slipway token revoke` ends, or the password where the
    /// registry has no such tokens. It goes where docker keeps it: its config.json, or its credential helper.
    #[command(after_help = "Examples:
  slipway login registry.example.com
  printenv PASSWORD | slipway login registry.example.com -u alice --password-stdin")]
    Login(LoginOptions),
    /// Forget the credentials for a registry, also docker's
    #[command(after_help = "Example:\n  slipway logout registry.example.com")]
    Logout(LogoutOptions),
    /// Work with users
    User(Asking<UserCommand>),
    /// Work with organisations and their members
    Org(Asking<OrganisationCommand>),
    /// Work with the teams of an organisation
    Team(Asking<TeamCommand>),
    /// Work with tokens: your own, and those of robots
    Token(Asking<TokenCommand>),
    /// Work with the trust in what others say about CI jobs (OIDC)
    Trust(Asking<TrustCommand>),
    /// Work with repositories
    Repo(Asking<RepositoryCommand>),
    /// Show who did or tried what, the latest first, for administrators
    #[command(after_help = "Example:\n  slipway audit --limit 20")]
    Audit(AuditOptions),
    /// Work with tags
    Tag(Asking<TagCommand>),
    /// Show a manifest: NAME:TAG or NAME@DIGEST
    #[command(after_help = "Example:\n  slipway inspect team/app:1.0")]
    Inspect {
        #[command(flatten)]
        registry: RegistryOption,
        /// For example team/app:1.0
        image: String,
        /// Print the manifest's bytes exactly as stored, and nothing else
        #[arg(long)]
        raw: bool,
    },
    /// Delete a tag (NAME:TAG) or a manifest with all its tags (NAME@DIGEST)
    #[command(after_help = "Example:\n  slipway rm team/app:1.0")]
    Rm {
        #[command(flatten)]
        registry: RegistryOption,
        /// For example team/app:1.0
        #[arg(required = true)]
        images: Vec<String>,
    },
    /// Work with the keys that access tokens are signed with
    #[command(subcommand)]
    Key(KeyCommand),
    /// Check a deployed registry, from outside
    ///
    /// Pushes small random content, reads it back and deletes it; exits with 1 when a push or a pull would break.
    Smoke(SmokeOptions),
    /// Print a completion script
    ///
    /// For example: `slipway completions bash > slipway.bash`, to be sourced by the shell.
    Completions {
        /// The shell
        shell: Shell,
    },
}

impl Command {
    /// Returns whether it looks after what a data folder has, and never asks a registry.
    pub(crate) fn keeps_house(&self) -> bool {
        matches!(
            self,
            Self::Fsck { .. } | Self::Repair(_) | Self::Gc(_) | Self::Undelete { .. } | Self::Key(_)
        )
    }

    /// Returns whether it asks a registry, which may be elsewhere.
    pub(crate) fn asks_a_registry(&self) -> bool {
        match self {
            Self::Serve(_)
            | Self::Fsck { .. }
            | Self::Repair(_)
            | Self::Gc(_)
            | Self::Undelete { .. }
            | Self::Key(_)
            | Self::Smoke(_)
            | Self::Completions { .. } => false,
            Self::Export(_)
            | Self::Import(_)
            | Self::Login(_)
            | Self::Logout(_)
            | Self::User(_)
            | Self::Org(_)
            | Self::Team(_)
            | Self::Token(_)
            | Self::Trust(_)
            | Self::Repo(_)
            | Self::Audit(_)
            | Self::Tag(_)
            | Self::Inspect { .. }
            | Self::Rm { .. } => true,
        }
    }
}

/// What `gc` understands.
#[derive(Debug, Args)]
pub(crate) struct GcOptions {
    /// Only say what would go, and why
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Sign with a new key from now on, also while the registry runs
    ///
    /// Tokens that the key before it has signed stay good. Those of the key before that end: wait five minutes
    /// between two rotations, unless that is what you want.
    Rotate,
}

/// What can be done with tags.
#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// List the tags of a repository
    #[command(after_help = "Example:\n  slipway tag ls team/app")]
    Ls {
        /// The repository
        name: RepositoryName,
    },
    /// Delete tags; what they point to stays
    #[command(after_help = "Example:\n  slipway tag rm team/app 1.0 1.1")]
    Rm {
        /// NAME or NAME:TAG
        image: String,
        /// The tags, or more of them
        tags: Vec<Tag>,
    },
    /// Show where tags pointed before, the latest move first
    #[command(after_help = "Example:\n  slipway tag log team/app:1.0")]
    Log {
        /// NAME or NAME:TAG
        image: String,
    },
    /// Put a tag back to where it pointed before its last move or its deletion
    ///
    /// Manifests without a tag are kept for --gc-history at least, and longer unless --gc-untagged says otherwise. One
    /// that was deleted by its digest cannot be brought back.
    #[command(after_help = "Example:\n  slipway tag restore team/app:1.0")]
    Restore {
        /// NAME:TAG
        image: String,
        /// A manifest of the tag's history, instead of the last one
        #[arg(long, value_name = "DIGEST")]
        to: Option<Digest>,
    },
}

/// Reads `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000` or `5000`; and `:5000`, which is every address of this machine.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if let Some(Ok(port)) = text.strip_prefix(':').map(str::parse) {
        return Ok(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)));
    }
    let mut addresses = text.to_socket_addrs().map_err(|error| format!("{text:?}: {error}"))?;
    addresses.next().ok_or_else(|| format!("{text:?} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_a_name_or_a_port_says_where_to_listen() {
        assert_eq!(listen_address("127.0.0.1:5000").unwrap(), "127.0.0.1:5000".parse().unwrap());
        assert_eq!(listen_address("5000").unwrap(), "127.0.0.1:5000".parse().unwrap());
        assert_eq!(listen_address("[::1]:0").unwrap(), "[::1]:0".parse().unwrap());
        assert!(listen_address("localhost:5000").unwrap().ip().is_loopback());
        assert_eq!(listen_address(":5000").unwrap(), "0.0.0.0:5000".parse().unwrap());
        for bad in ["", "here", ":", ":70000", "127.0.0.1", "127.0.0.1:65536", "70000"] {
            assert!(listen_address(bad).is_err(), "{bad:?}");
        }
    }
}
