//! The command line of `slipway smoke`.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use http::Uri;
use oci::RepositoryName;

use super::client::endpoint::endpoint;
use super::login::Login;

/// A password that is not on the command line, which everybody on the machine sees.
const PASSWORD_VARIABLE: &str = "SLIPWAY_SMOKE_PASSWORD";

/// What `smoke` understands.
#[derive(Debug, Args)]
pub(crate) struct SmokeOptions {
    /// The registry as a URL without a path; https, unless it says http or is on this machine
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Uri,
    /// Where to push
    #[arg(long, value_name = "NAME", default_value = "slipway/smoke")]
    pub(crate) repository: RepositoryName,
    /// Also push one layer of this size, for example 5GiB
    #[arg(long = "large", value_name = "SIZE", value_parser = size_bytes)]
    pub(crate) large_bytes: Option<u64>,
    /// Also push one layer so slowly that it takes this time, for example 40s: CloudFront and API Gateway end some
    /// requests after 30 s
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) slow: Option<Duration>,
    /// Print the report as JSON
    #[arg(long = "json")]
    pub(crate) is_json: bool,
    #[command(flatten)]
    pub(crate) login: LoginOptions,
}

/// Who logs in.
#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    /// Log in as this user, who may push to the repository; its password comes by --password-stdin, or is in the
    /// variable `SLIPWAY_SMOKE_PASSWORD`
    ///
    /// Without a user only that is checked which needs no login.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password, or a token in its place, from standard input
    #[arg(long, requires = "user")]
    password_stdin: bool,
}

impl LoginOptions {
    /// Returns who logs in, if anybody.
    pub(crate) fn read(self) -> Result<Option<Login>> {
        let Some(user) = self.user else { return Ok(None) };
        let mut password = std::env::var(PASSWORD_VARIABLE).unwrap_or_default();
        if self.password_stdin {
            password.clear();
            std::io::stdin().read_line(&mut password).context("standard input")?;
        }
        let password = password.trim_end_matches(['\r', '\n']);
        ensure!(!password.is_empty(), "no password for {user}: see --password-stdin");
        Ok(Some(Login::new(user, password.into())))
    }
}

fn size_bytes(text: &str) -> Result<u64> {
    let digits = text.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let unit_bytes: u64 = match &text[digits.len()..] {
        "" | "B" => 1,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        unit => anyhow::bail!("{unit:?} is none of B, MB, GB, MiB, GiB"),
    };
    let count: u64 = digits.parse().context("not a size")?;
    let bytes = count.checked_mul(unit_bytes).context("too large")?;
    ensure!(bytes > 0, "nothing to push");
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size_bytes("5GiB").unwrap(), 5 << 30);
        assert_eq!(size_bytes("10MB").unwrap(), 10_000_000);
        assert_eq!(size_bytes("7").unwrap(), 7);
        for bad in ["", "GiB", "5 GiB", "5TiB", "-1", "0", "99999999999GiB"] {
            assert!(size_bytes(bad).is_err(), "{bad:?}");
        }
    }
}
