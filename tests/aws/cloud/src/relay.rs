//! The relay: the program of the container, beside the stack.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use anyhow::{Result, anyhow};
use test_support::daemon::Daemon;

use crate::programs::Programs;

/// A running relay.
pub(crate) struct Relay {
    _daemon: Daemon,
    pub(crate) host: String,
}

impl Relay {
    /// Starts a relay with the environment of the write function.
    pub(crate) fn start(
        programs: &Programs,
        folder: &Path,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(programs.functions.join("relay"));
        command.env_clear().envs(environment).env("PORT", port.to_string());
        let answers = || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
        let daemon = Daemon::start(&mut command, &folder.join("relay.log"), answers)
            .map_err(|error| anyhow!("the relay does not start: {error}"))?;
        Ok(Self { _daemon: daemon, host: format!("127.0.0.1:{port}") })
    }
}
