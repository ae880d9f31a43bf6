//! The registry as a server.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::FutureExt;
use identities::Issuers;
use registry::Registry;
use registry::access::{Access, AccessOptions};
use registry::http::Service;
use registry::ports::SystemClock;
use secrecy::ExposeSecret;
use server::{Listener, Patience, Tls};
use tokio::net::{TcpListener, UnixListener};

use crate::admission::{self, Admitted, FIRST_ADMINISTRATOR};
use crate::capacity;
use crate::housekeeping::Housekeeping;
use crate::keys::{self, Keys};
use crate::operator;
use crate::output::print;
use crate::serve_settings::{Makers, TlsFiles, is_loopback};
use crate::settings::Settings;
use crate::site::Site;
use crate::storage::Storage;
use crate::watch::Watch;

/// Clients come by themselves, and whoever stops the server waits for it.
const PATIENCE: Patience =
    Patience { head: Duration::from_secs(30), silence: Duration::from_secs(60), stop: Duration::ZERO };

/// Serves until a signal comes; then the requests under way end, and uploads keep what has arrived.
pub(crate) async fn serve(settings: &Settings) -> Result<()> {
    let listen = settings.serve.listen;
    // First of all: who mistook the port finds no new folder.
    let listener = TcpListener::bind(listen).await.with_context(|| format!("listen on {listen}"))?;
    let limits = capacity::limits(settings.serve.trusts_proxy)?;
    let storage = Storage::open(&settings.data)?.lasting(settings.collection.lifetimes);
    let registry = storage.registry();
    let access = access(settings, registry.clone())?;
    let housekeeping = Housekeeping::new(&storage, &registry, access.for_operator(), settings.collection);
    admission::check(&access, &settings.serve).await?;
    let tls = settings.serve.tls.as_ref().map(tls).transpose()?;
    let address = listener.local_addr()?;
    let stop = server::stop_signal()?.shared();
    let operators = operator_socket(settings);
    // Last of all: a password that is told to nobody is lost.
    let admitted = admission::admit(&access, &settings.serve).await?;
    greet(settings, address, &admitted)?;
    if let Some(every) = settings.collection.every {
        tokio::spawn(housekeeping.clone().run(every));
    }
    let site = match settings.serve.is_for_others() {
        true => site_of(access.clone(), settings),
        false => site_of(access.clone(), settings).of_this_machine(access.clone()),
    };
    let listener =
        Listener::from(listener).with_tls(tls).behind_proxy(settings.serve.trusts_proxy).limited(limits);
    let clients =
        server::serve(listener, move |request| site.clone().answer(request), PATIENCE, stop.clone());
    let operators = async {
        if let Some(listener) = operators {
            let site = site_of(access.for_operator(), settings).with_housekeeping(housekeeping);
            server::serve(listener, move |request| site.clone().answer(request), PATIENCE, stop).await;
        }
    };
    tokio::join!(clients, operators);
    operator::forget(&settings.data);
    Ok(())
}

/// Returns what answers requests.
fn site_of(access: Access, settings: &Settings) -> Site {
    let url = settings.serve.url.as_ref().map(ToString::to_string);
    let service = Service::guarded(access.clone()).at(url).with_tls(settings.serve.tls.is_some());
    Site::new(service.behind_proxy(settings.serve.trusts_proxy), access)
}

/// Returns the accounts; their keys follow the file.
fn access(settings: &Settings, registry: Registry) -> Result<Access> {
    let (data, service) = (settings.data.clone(), settings.serve.service().to_owned());
    Keys::make_first(&data)?;
    let watch = Watch::new(vec![keys::path(&data)]);
    let keys = Keys::read(&data)?;
    let options = AccessOptions {
        is_open_without_accounts: settings.serve.is_open_without_accounts(),
        first_password: None,
        organisations_are_for_administrators: settings.serve.organisations == Makers::Admins,
        notes_use: true,
        deletes_within: None,
    };
    let access = Access::new(registry, keys.ring(&service), options, Some(Arc::new(issuers(settings))));
    tokio::spawn(watch.run({
        let access = access.clone();
        move || match Keys::read(&data) {
            Ok(keys) => {
                access.set_keys(keys.ring(&service));
                tracing::info!("the signing keys have changed");
            }
            Err(error) => tracing::error!("the signing keys stay as they were: {error:#}"),
        }
    }));
    Ok(access)
}

fn issuers(settings: &Settings) -> Issuers {
    let issuers = Issuers::new(Arc::new(SystemClock));
    if settings.serve.has_private_issuers { issuers.with_private_networks() } else { issuers }
}

/// Returns what speaks TLS with these files; it follows them.
fn tls(files: &TlsFiles) -> Result<Tls> {
    let watch = Watch::new(vec![files.certificate.clone(), files.key.clone()]);
    let tls = Tls::load(&files.certificate, &files.key)?;
    tokio::spawn(watch.run({
        let tls = tls.clone();
        move || match tls.reload() {
            Ok(()) => tracing::info!("the TLS certificate has changed"),
            Err(error) => tracing::error!(%error, "the TLS certificate stays as it was"),
        }
    }));
    Ok(tls)
}

/// Without it the registry works all the same, but commands cannot ask it while it runs.
fn operator_socket(settings: &Settings) -> Option<UnixListener> {
    match operator::listen(&settings.data) {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::warn!(
                "commands such as `slipway repo ls` have to wait until the registry stops: {error:#}"
            );
            None
        }
    }
}

/// Says where the registry is and who may use it, and warns of what others can listen to.
fn greet(settings: &Settings, address: SocketAddr, admitted: &Admitted) -> Result<()> {
    let serve = &settings.serve;
    if serve.is_overheard() {
        tracing::warn!(%address, "no TLS: whoever is on the way reads passwords and changes images; see --tls-cert");
    }
    let host =
        serve.url.as_ref().and_then(http::Uri::authority).map_or_else(|| host(address), ToString::to_string);
    let mut out = Vec::new();
    let scheme = if serve.tls.is_some() { "https" } else { "http" };
    writeln!(out, "Slipway {} listens on {scheme}://{address}", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  data      {}", settings.data.display())?;
    writeln!(out, "  access    {}", words(admitted, serve.is_for_others()))?;
    if let Admitted::FirstAdministratorWith(password) = admitted {
        writeln!(
            out,
            "  password  {} (of {FIRST_ADMINISTRATOR}; never shown again)",
            password.expose_secret()
        )?;
    }
    if !matches!(admitted, Admitted::Everybody) {
        writeln!(out, "  login     docker login {host}")?;
    }
    let image = match admitted {
        Admitted::Everybody => format!("{host}/hello"),
        Admitted::Accounts => format!("{host}/NAME/hello"),
        Admitted::FirstAdministrator | Admitted::FirstAdministratorWith(_) => {
            format!("{host}/{FIRST_ADMINISTRATOR}/hello")
        }
    };
    writeln!(out, "  try       docker tag IMAGE {image} && docker push {image}")?;
    print(out)
}

/// Returns what docker calls the server on this machine: of other hosts it wants TLS.
fn host(address: SocketAddr) -> String {
    match is_loopback(address.ip()) || address.ip().is_unspecified() {
        true => format!("localhost:{}", address.port()),
        false => address.to_string(),
    }
}

fn words(admitted: &Admitted, is_for_others: bool) -> String {
    match admitted {
        Admitted::Everybody if is_for_others => {
            "OPEN: everybody who can reach it may do everything; `slipway user add`, or --auth, closes it"
                .to_owned()
        }
        Admitted::Everybody => {
            "open to everybody on this machine; `slipway user add`, or --auth, closes it".to_owned()
        }
        Admitted::Accounts => "by account".to_owned(),
        Admitted::FirstAdministrator | Admitted::FirstAdministratorWith(_) => {
            format!("by account; the first is the administrator {FIRST_ADMINISTRATOR}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_sent_to_localhost_wherever_that_is_the_server() {
        for (address, expected) in [
            ("127.0.0.1:5000", "localhost:5000"),
            ("[::1]:80", "localhost:80"),
            ("0.0.0.0:5000", "localhost:5000"),
            ("[::]:5000", "localhost:5000"),
            ("192.0.2.7:5000", "192.0.2.7:5000"),
        ] {
            assert_eq!(host(address.parse().unwrap()), expected);
        }
    }
}
