//! The command line of `slipway smoke`.

use anyhow::{Context, Result, ensure};
use clap::Args;
use http::Uri;
use oci::RepositoryName;

/// What `smoke` understands.
#[derive(Debug, Args)]
pub(crate) struct SmokeOptions {
    /// The registry as a URL without a path; https, unless it says http
    #[arg(value_parser = endpoint)]
    pub(crate) endpoint: Uri,
    /// Where to push
    #[arg(long, value_name = "NAME", default_value = "slipway/smoke")]
    pub(crate) repository: RepositoryName,
    /// Also push one layer of this size, for example 5GiB
    #[arg(long = "large", value_name = "SIZE", value_parser = size_bytes)]
    pub(crate) large_bytes: Option<u64>,
    /// Print the report as JSON
    #[arg(long = "json")]
    pub(crate) is_json: bool,
}

fn endpoint(text: &str) -> Result<Uri> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url: Uri = whole.parse().context("not a URL")?;
    ensure!(matches!(url.scheme_str(), Some("http" | "https")), "neither http nor https");
    ensure!(url.path() == "/" && url.query().is_none(), "a registry has no path");
    Ok(url)
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
    fn an_endpoint_is_a_host_and_https_goes_without_saying() {
        assert_eq!(endpoint("registry.example").unwrap().to_string(), "https://registry.example/");
        assert_eq!(endpoint("https://r.example:444/").unwrap().to_string(), "https://r.example:444/");
        assert_eq!(endpoint("http://127.0.0.1:5000").unwrap().to_string(), "http://127.0.0.1:5000/");
        for bad in ["", "ftp://r.example", "https://r.example/v2/", "https://"] {
            assert!(endpoint(bad).is_err(), "{bad:?}");
        }
    }

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
