//! What can be set for the server: where it listens, who is let in, and what stands before it.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use clap::ValueEnum;
use http::Uri;

use crate::cli::{ServeOptions, listen_address};
use crate::settings::{File, Sources};

/// The name of a registry that has no address of its own, in tokens and challenges.
const SERVICE: &str = "slipway";

/// Who is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    /// Accounts; and on this machine everybody, until there is one.
    ByAccounts,
    /// Accounts alone, of which the first is made at the start.
    Auth,
    /// Everybody, until there is an account.
    Open,
}

/// Who may make organisations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Makers {
    /// Every user.
    #[default]
    Anybody,
    /// Administrators alone.
    Admins,
}

/// Where the certificate and its key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Everything that can be set for the server.
#[derive(Debug)]
pub(crate) struct ServeSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) admission: Admission,
    pub(crate) admin_password_file: Option<PathBuf>,
    pub(crate) tls: Option<TlsFiles>,
    /// Scheme and host under which clients know the registry.
    pub(crate) url: Option<Uri>,
    pub(crate) trusts_proxy: bool,
    /// Whether issuers of identity tokens may be in private networks.
    pub(crate) has_private_issuers: bool,
    pub(crate) organisations: Makers,
}

impl ServeSettings {
    /// Puts them together, and refuses what makes no sense.
    pub(crate) fn new(options: &ServeOptions, sources: &Sources) -> Result<Self> {
        let file = &sources.file;
        let path = |option: &Option<PathBuf>, variable: &str, key: &Option<PathBuf>| {
            option.clone().or_else(|| sources.variable(variable).map(PathBuf::from)).or_else(|| key.clone())
        };
        let settings = Self {
            listen: listen(options, sources)?,
            admission: admission(options, sources)?,
            admin_password_file: path(
                &options.admin_password_file,
                "SLIPWAY_ADMIN_PASSWORD_FILE",
                &file.admin_password_file,
            ),
            tls: tls_files(
                path(&options.tls_cert, "SLIPWAY_TLS_CERT", &file.tls_cert),
                path(&options.tls_key, "SLIPWAY_TLS_KEY", &file.tls_key),
            )?,
            url: url(options, sources)?,
            trusts_proxy: options.trust_proxy
                || sources.flag("SLIPWAY_TRUST_PROXY")?.or(file.trust_proxy).unwrap_or(false),
            has_private_issuers: options.private_issuers
                || sources.flag("SLIPWAY_PRIVATE_ISSUERS")?.or(file.private_issuers).unwrap_or(false),
            organisations: makers(options, sources)?,
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<()> {
        if self.admin_password_file.is_some() && self.admission != Admission::Auth {
            bail!("--admin-password-file makes no sense without --auth, which makes the administrator");
        }
        let is_http = self.url.as_ref().is_some_and(|url| url.scheme_str() == Some("http"));
        if self.tls.is_some() && is_http {
            bail!("--url begins with http://, but with --tls-cert the registry speaks https only");
        }
        Ok(())
    }

    /// Returns whether others than the users of this machine can come here, directly or through a proxy.
    pub(crate) fn is_for_others(&self) -> bool {
        let has_public_url = self.url.as_ref().and_then(Uri::host).is_some_and(|host| !is_this_machine(host));
        !is_loopback(self.listen.ip()) || self.trusts_proxy || has_public_url
    }

    /// Returns whether others on the way can read and change what is sent, as far as this process knows.
    pub(crate) fn is_overheard(&self) -> bool {
        self.tls.is_none() && !is_loopback(self.listen.ip()) && !self.trusts_proxy
    }

    /// Returns whether everybody may do everything until there is an account.
    pub(crate) fn is_open_without_accounts(&self) -> bool {
        match self.admission {
            Admission::ByAccounts => !self.is_for_others(),
            Admission::Auth => false,
            Admission::Open => true,
        }
    }

    /// Returns the name of the registry in its tokens and challenges.
    pub(crate) fn service(&self) -> &str {
        self.url.as_ref().and_then(Uri::authority).map_or(SERVICE, |authority| authority.as_str())
    }
}

/// Returns whether only this machine can come to such an address.
pub(crate) fn is_loopback(ip: IpAddr) -> bool {
    ip.to_canonical().is_loopback()
}

/// Returns whether the name or address cannot be another machine's.
pub(crate) fn is_this_machine(host: &str) -> bool {
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(is_loopback)
}

fn listen(options: &ServeOptions, sources: &Sources) -> Result<SocketAddr> {
    let address =
        |source: &str, text: &str| listen_address(text).map_err(|error| anyhow::anyhow!("{source}: {error}"));
    match (options.listen, sources.variable("SLIPWAY_LISTEN"), &sources.file.listen) {
        (Some(listen), ..) => Ok(listen),
        (None, Some(text), _) => address("SLIPWAY_LISTEN", &text),
        (None, None, Some(text)) => address("listen in the configuration file", text),
        (None, None, None) => Ok(SocketAddr::from(([127, 0, 0, 1], 5000))),
    }
}

/// `auth` and `open` are one choice: whoever makes it on the command line means more than the file.
fn admission(options: &ServeOptions, sources: &Sources) -> Result<Admission> {
    let (auth, open) = (options.auth.then_some(true), options.open.then_some(true));
    let File { auth: file_auth, open: file_open, .. } = sources.file;
    let choices = [
        choice("--auth", auth, "--open", open)?,
        choice("SLIPWAY_AUTH", sources.flag("SLIPWAY_AUTH")?, "SLIPWAY_OPEN", sources.flag("SLIPWAY_OPEN")?)?,
        choice("auth in the configuration file", file_auth, "open", file_open)?,
    ];
    Ok(choices.into_iter().flatten().next().unwrap_or(Admission::ByAccounts))
}

fn choice(
    auth_name: &str,
    auth: Option<bool>,
    open_name: &str,
    open: Option<bool>,
) -> Result<Option<Admission>> {
    match (auth, open) {
        (Some(true), Some(true)) => {
            bail!("{auth_name} closes the registry and {open_name} opens it: choose one")
        }
        (Some(true), _) => Ok(Some(Admission::Auth)),
        (_, Some(true)) => Ok(Some(Admission::Open)),
        (None, None) => Ok(None),
        _ => Ok(Some(Admission::ByAccounts)),
    }
}

fn makers(options: &ServeOptions, sources: &Sources) -> Result<Makers> {
    let named = |source: &str, text: &str| {
        Makers::from_str(text, false).map_err(|_| anyhow!("{source} is anybody or admins, not {text:?}"))
    };
    match (options.organisations, sources.variable("SLIPWAY_ORGANISATIONS"), &sources.file.organisations) {
        (Some(makers), ..) => Ok(makers),
        (None, Some(text), _) => named("SLIPWAY_ORGANISATIONS", &text),
        (None, None, Some(text)) => named("organisations in the configuration file", text),
        (None, None, None) => Ok(Makers::default()),
    }
}

fn tls_files(certificate: Option<PathBuf>, key: Option<PathBuf>) -> Result<Option<TlsFiles>> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some(TlsFiles { certificate, key })),
        (None, None) => Ok(None),
        (Some(_), None) => bail!("--tls-cert needs --tls-key, the file with the certificate's private key"),
        (None, Some(_)) => bail!("--tls-key needs --tls-cert, the file with the certificate"),
    }
}

fn url(options: &ServeOptions, sources: &Sources) -> Result<Option<Uri>> {
    let text =
        options.url.clone().or_else(|| sources.variable("SLIPWAY_URL")).or_else(|| sources.file.url.clone());
    let Some(text) = text else { return Ok(None) };
    let uri = text.parse::<Uri>().ok().filter(is_origin);
    match uri {
        Some(uri) => Ok(Some(uri)),
        None => {
            bail!("--url has to be scheme and host alone, like https://registry.example.com; it is {text:?}")
        }
    }
}

/// Clients ask under `/v2/` of a host, and nowhere else.
fn is_origin(uri: &Uri) -> bool {
    let is_web = matches!(uri.scheme_str(), Some("http" | "https"));
    let has_host = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    is_web && has_host && uri.path() == "/" && uri.query().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(options: &ServeOptions, environment: &[(&str, &str)], file: &str) -> Result<ServeSettings> {
        let variable = |name: &str| {
            environment.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        };
        let sources = Sources { environment: &variable, file: toml::from_str(file).unwrap() };
        ServeSettings::new(options, &sources)
    }

    fn listening(listen: &str) -> ServeOptions {
        ServeOptions { listen: Some(listen.parse().unwrap()), ..ServeOptions::default() }
    }

    fn error_of(environment: &[(&str, &str)], file: &str) -> String {
        format!("{:#}", settings(&ServeOptions::default(), environment, file).unwrap_err())
    }

    #[test]
    fn every_setting_comes_from_a_variable_or_the_file() {
        let environment = [
            ("SLIPWAY_AUTH", "true"),
            ("SLIPWAY_ADMIN_PASSWORD_FILE", "/password"),
            ("SLIPWAY_TLS_CERT", "/cert"),
            ("SLIPWAY_TLS_KEY", "/key"),
            ("SLIPWAY_URL", "https://registry.example.com:8443/"),
            ("SLIPWAY_TRUST_PROXY", "true"),
            ("SLIPWAY_PRIVATE_ISSUERS", "true"),
            ("SLIPWAY_ORGANISATIONS", "admins"),
        ];
        let file = "auth = true\nadmin-password-file = '/password'\ntls-cert = '/cert'\ntls-key = '/key'
            url = 'https://registry.example.com:8443'\ntrust-proxy = true\nprivate-issuers = true\norganisations = 'admins'\n";
        for (environment, file) in [(&environment[..], ""), (&[], file)] {
            let settings = settings(&ServeOptions::default(), environment, file).unwrap();
            assert_eq!(settings.admission, Admission::Auth);
            assert_eq!(settings.admin_password_file, Some("/password".into()));
            assert_eq!(settings.tls, Some(TlsFiles { certificate: "/cert".into(), key: "/key".into() }));
            assert_eq!(settings.service(), "registry.example.com:8443");
            assert!(settings.trusts_proxy && settings.has_private_issuers);
            assert_eq!(settings.organisations, Makers::Admins);
        }
    }

    #[test]
    fn what_opens_something_is_off_unless_somebody_says_so() {
        let usual = settings(&ServeOptions::default(), &[], "").unwrap();
        assert!(!usual.trusts_proxy && !usual.has_private_issuers);
        let options = ServeOptions { private_issuers: true, ..ServeOptions::default() };
        assert!(settings(&options, &[], "").unwrap().has_private_issuers);
    }

    #[test]
    fn the_choice_of_the_nearest_source_counts() {
        let open = ServeOptions { open: true, ..ServeOptions::default() };
        let admission = |options: &ServeOptions, environment: &[(&str, &str)], file: &str| {
            settings(options, environment, file).unwrap().admission
        };
        assert_eq!(admission(&open, &[("SLIPWAY_AUTH", "true")], ""), Admission::Open);
        let none = ServeOptions::default();
        assert_eq!(admission(&none, &[("SLIPWAY_OPEN", "1")], "auth = true"), Admission::Open);
        assert_eq!(admission(&none, &[("SLIPWAY_AUTH", "false")], "auth = true"), Admission::ByAccounts);
        assert_eq!(admission(&none, &[("SLIPWAY_AUTH", "")], "open = true"), Admission::Open);
        assert_eq!(admission(&none, &[], ""), Admission::ByAccounts);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (environment, file, word) in [
            (&[("SLIPWAY_AUTH", "maybe")][..], "", "SLIPWAY_AUTH"),
            (&[("SLIPWAY_AUTH", "true"), ("SLIPWAY_OPEN", "true")], "", "SLIPWAY_OPEN"),
            (&[], "auth = true\nopen = true", "choose one"),
            (&[], "admin-password-file = '/p'", "--auth"),
            (&[("SLIPWAY_ADMIN_PASSWORD_FILE", "/p")], "open = true", "--auth"),
            (&[("SLIPWAY_TLS_CERT", "/c")], "", "--tls-key"),
            (&[], "tls-key = '/k'", "--tls-cert"),
            (&[("SLIPWAY_URL", "http://a.example")], "tls-key = '/k'\ntls-cert = '/c'", "https only"),
            (&[("SLIPWAY_URL", "registry.example.com")], "", "--url"),
            (&[("SLIPWAY_URL", "https://a.example/registry")], "", "--url"),
            (&[("SLIPWAY_URL", "https://user@a.example")], "", "--url"),
            (&[("SLIPWAY_URL", "ftp://a.example")], "", "--url"),
            (&[("SLIPWAY_LISTEN", "here")], "", "SLIPWAY_LISTEN"),
            (&[("SLIPWAY_ORGANISATIONS", "nobody")], "", "SLIPWAY_ORGANISATIONS"),
        ] {
            let error = error_of(environment, file);
            assert!(error.contains(word), "{environment:?} {file:?}: {error}");
        }
    }

    #[test]
    fn only_this_machine_is_let_in_without_being_asked() {
        let is_open = |listen: &str, environment: &[(&str, &str)]| {
            settings(&listening(listen), environment, "").unwrap().is_open_without_accounts()
        };
        for listen in ["127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(is_open(listen, &[]), "{listen}");
            assert!(!is_open(listen, &[("SLIPWAY_AUTH", "true")]), "{listen}");
        }
        for listen in ["0.0.0.0:1", "[::]:1", "192.0.2.1:1", "[::ffff:192.0.2.1]:1"] {
            assert!(!is_open(listen, &[]), "{listen}");
            assert!(is_open(listen, &[("SLIPWAY_OPEN", "true")]), "{listen}");
        }
        for (url, expected) in
            [("http://localhost:5000", true), ("http://[::1]", true), ("https://a.example", false)]
        {
            assert_eq!(is_open("127.0.0.1:1", &[("SLIPWAY_URL", url)]), expected, "{url}");
        }
        assert!(!is_open("127.0.0.1:1", &[("SLIPWAY_TRUST_PROXY", "true")]), "a proxy lets others in");
    }

    #[test]
    fn what_leaves_this_machine_without_tls_is_overheard() {
        let is_overheard = |listen: &str, environment: &[(&str, &str)]| {
            settings(&listening(listen), environment, "").unwrap().is_overheard()
        };
        assert!(is_overheard("0.0.0.0:1", &[]));
        assert!(!is_overheard("127.0.0.1:1", &[]));
        assert!(!is_overheard("0.0.0.0:1", &[("SLIPWAY_TLS_CERT", "/c"), ("SLIPWAY_TLS_KEY", "/k")]));
        assert!(!is_overheard("0.0.0.0:1", &[("SLIPWAY_TRUST_PROXY", "true")]));
    }
}
