//! containerd's `ctr`: credentials on the command line.

use super::IMAGE;
use crate::accounts::story::Account;
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::tool::Failure;

/// `ctr --user`.
pub(in crate::accounts) struct CtrUser {
    containerd: Containerd,
    credentials: Option<String>,
}

impl CtrUser {
    fn options(&self) -> Vec<&str> {
        self.credentials.iter().flat_map(|credentials| ["--user", credentials]).collect()
    }
}

impl Account for CtrUser {
    const NAME: &str = "containerd (`ctr`)";
    const LOGIN: &str = "`--user NAME:SECRET`";

    fn start(test: &str) -> Option<Self> {
        let mut containerd = Containerd::start(test)?;
        containerd.load(IMAGE);
        Some(Self { containerd, credentials: None })
    }

    fn log_in(&mut self, _host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        self.credentials = Some(format!("{user}:{secret}"));
        Ok(())
    }

    fn log_out(&mut self, _host: &str) {
        self.credentials = None;
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        let local = format!("local:{IMAGE}");
        let push = ["images", "push", "--plain-http"];
        self.containerd.ctr(&[&push, &self.options()[..], &[reference, &local]].concat()).map(drop)
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        self.containerd.with_empty_storage().pull_here(reference, &self.options()).map(drop)
    }
}
