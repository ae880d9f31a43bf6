//! The deployed registry on this machine: what is about AWS is broken where it is, and not between it and a client.
//!
//! One deployment serves all rows: each opens a way in of its own, whose gateway, edge or functions are broken.

pub(crate) mod direct;
pub(crate) mod edge;
pub(crate) mod functions;
pub(crate) mod gateway;
pub(crate) mod stories;

use std::path::Path;
use std::sync::OnceLock;

use cloud::{Changes, Cloud, CloudOptions, Programs};
use test_support::require;

use crate::run::Run;

/// A fault of the deployed registry and what `smoke` has to say about it.
pub(crate) struct Row {
    /// What goes wrong.
    pub(crate) title: &'static str,
    /// The checks that find it, in the order of the report.
    pub(crate) checks: &'static [&'static str],
    /// Whether a push or a pull breaks, which the exit code tells.
    pub(crate) essential: bool,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) fault: fn(&Cloud) -> Changes,
}

pub(crate) const ADMINISTRATOR: &[&str] = &["--user", "admin"];

impl Row {
    /// A fault that breaks a push or a pull.
    pub(crate) const fn essential(
        title: &'static str,
        checks: &'static [&'static str],
        fault: fn(&Cloud) -> Changes,
    ) -> Self {
        Self { title, checks, essential: true, arguments: ADMINISTRATOR, fault }
    }

    /// A fault that is only a nuisance.
    pub(crate) const fn tolerable(
        title: &'static str,
        checks: &'static [&'static str],
        fault: fn(&Cloud) -> Changes,
    ) -> Self {
        Self { essential: false, ..Self::essential(title, checks, fault) }
    }

    /// Exactly the checks of this row do not hold, and the exit code says whether that breaks anything.
    pub(crate) fn shows(&self, deployed: &Deployed) {
        let Some(cloud) = deployed.cloud() else { return };
        let run = smoke(cloud, &(self.fault)(cloud), self.arguments);
        assert_eq!(run.names("does not hold"), self.checks, "{}{}", run.stdout, run.stderr);
        assert_eq!(run.code == Some(1), self.essential, "the exit code");
    }
}

/// Returns every fault of the deployed registry.
pub(crate) fn all_rows() -> impl Iterator<Item = &'static Row> {
    [functions::ROWS, gateway::ROWS, edge::ROWS, direct::ROWS].into_iter().flatten()
}

/// The registry as it is deployed by default, with the relay: then every check holds. It begins when it is first asked for.
#[derive(Default)]
pub(crate) struct Deployed(OnceLock<Option<Cloud>>);

impl Deployed {
    /// Returns the deployment, unless programs for it are missing.
    pub(crate) fn cloud(&self) -> Option<&Cloud> {
        self.0.get_or_init(start).as_ref()
    }
}

fn start() -> Option<Cloud> {
    let built = Path::new(env!("CARGO_BIN_EXE_slipway")).parent().unwrap();
    let options = CloudOptions { has_relay: true, ..CloudOptions::default() };
    match Programs::find(built) {
        Ok(programs) => Some(Cloud::start(&programs, &options).unwrap()),
        Err(missing) => {
            require::skip("smoke of the deployed registry", missing.feature, &missing.reason);
            None
        }
    }
}

/// Runs `smoke --json` through a way in that is changed like this.
pub(crate) fn smoke(cloud: &Cloud, changes: &Changes, arguments: &[&str]) -> Run {
    let way = cloud.open(changes).unwrap();
    let password = [("SLIPWAY_SMOKE_PASSWORD", cloud.first_password())];
    Run::of(&format!("http://{}", way.address()), &[&["--json"], arguments].concat(), &password)
}
