//! Real clients that log in, to a registry with accounts on one machine and to a deployed one.
//!
//! `story` is what every client goes through; `place` is where, and `clients` says how each is asked to. The table in
//! `docs/clients.md` is made from the same list.

mod clients;
mod place;
mod story;

use std::fmt::Write as _;

use crate::accounts::clients::containerd::CtrUser;
use crate::accounts::clients::docker::{DockerConfig, DockerHome};
use crate::accounts::clients::helm::Helm;
use crate::accounts::clients::oci_client::OciClientAuth;
use crate::accounts::clients::oras::OrasLogin;
use crate::accounts::clients::podman::PodmanLogin;
use crate::accounts::clients::skopeo::{SkopeoCredentials, SkopeoLogin};
use crate::accounts::story::{Account, may_do_what_the_accounts_say};

/// A test of each client in each place, and their table.
macro_rules! accounts {
    ($($module:ident: $client:ty),+ $(,)?) => {
        mod on_one_machine {
            use super::*;
            $(account_test!($module: $client, place::on_one_machine);)+
        }

        mod deployed {
            use super::*;
            $(account_test!($module: $client, place::deployed);)+
        }

        /// Each client, and how it logs in.
        const LOGINS: &[(&str, &str)] = &[$((<$client>::NAME, <$client>::LOGIN)),+];
    };
}

macro_rules! account_test {
    ($module:ident: $client:ty, $place:path) => {
        mod $module {
            use super::*;

            #[test]
            fn may_do_what_the_accounts_say() {
                super::may_do_what_the_accounts_say::<$client>(module_path!(), $place);
            }
        }
    };
}

accounts! {
    docker_with_a_named_folder: DockerConfig,
    docker_with_the_usual_folder: DockerHome,
    podman: PodmanLogin,
    skopeo_with_a_login: SkopeoLogin,
    skopeo_with_credentials: SkopeoCredentials,
    ctr: CtrUser,
    oras: OrasLogin,
    helm: Helm,
    oci_client: OciClientAuth,
}

/// Returns the page's table.
pub(crate) fn table() -> String {
    let mut table = "| client | how it logs in |\n|---|---|\n".to_owned();
    for (client, login) in LOGINS {
        writeln!(table, "| {client} | {login} |").unwrap();
    }
    table
}
