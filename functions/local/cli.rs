//! The command line.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::smoke::SmokeOptions;

const ENVIRONMENT: &str =
    "Environment (an empty variable counts as unset; an option on the command line wins):
  SLIPWAY_DATA     as --data
  SLIPWAY_LISTEN   as --listen
  SLIPWAY_LOG      as --log
  SLIPWAY_CONFIG   as --config

The configuration file is TOML with the keys data, listen and log.";

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
pub(crate) struct ServeOptions {
    /// Address and port to listen on, or a port of this machine alone; port 0 takes any free one
    /// [default: 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR", value_parser = listen_address)]
    pub(crate) listen: Option<SocketAddr>,
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
    /// Work with repositories
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Work with tags
    #[command(subcommand)]
    Tag(TagCommand),
    /// Show a manifest: NAME:TAG or NAME@DIGEST
    Inspect {
        /// For example team/app:1.0
        image: String,
        /// Print the manifest's bytes exactly as stored, and nothing else
        #[arg(long)]
        raw: bool,
    },
    /// Delete a tag (NAME:TAG) or a manifest with all its tags (NAME@DIGEST)
    Rm {
        /// For example team/app:1.0
        #[arg(required = true)]
        images: Vec<String>,
    },
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

/// What can be done with repositories.
#[derive(Debug, Subcommand)]
pub(crate) enum RepoCommand {
    /// List repositories
    Ls,
}

/// What can be done with tags.
#[derive(Debug, Subcommand)]
pub(crate) enum TagCommand {
    /// List the tags of a repository
    Ls {
        /// The repository
        name: String,
    },
}

/// Reads `127.0.0.1:5000`, `localhost:5000`, `[::1]:5000` or `5000`.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
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
        for bad in ["", "here", "127.0.0.1", "127.0.0.1:65536", "70000"] {
            assert!(listen_address(bad).is_err(), "{bad:?}");
        }
    }
}
