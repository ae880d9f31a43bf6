//! Which identity tokens a trust lets in, and which trusts let in too many.

use std::collections::BTreeMap;
use std::net::Ipv6Addr;

use http::Uri;
use http::uri::Authority;
use serde_json::Value;

use crate::access::{AccessError, Identity, Limits, TrustWanted, matches};
use crate::ports::Item;
use crate::records::TrustRecord;

/// The issuers at which everybody can have an account, and the claims of theirs of which one has to say whose it is.
const SHARED_ISSUERS: &[(&str, &[&str])] = &[
    (
        "https://token.actions.githubusercontent.com",
        &["repository_id", "repository_owner_id", "repository", "repository_owner", "sub"],
    ),
    ("https://gitlab.com", &["project_id", "namespace_id", "project_path", "namespace_path", "sub"]),
    ("https://agent.buildkite.com", &["organization_id", "organization_slug", "pipeline_id", "sub"]),
    ("https://accounts.google.com", &["sub", "email"]),
];

/// How much of a claim is said again in an answer and in the audit log.
const SHOWN_MAX_CHARS: usize = 200;

/// Returns the rule that lets the identity in: of several the one of the robot that is named, otherwise the oldest.
pub(crate) fn choose<'a>(
    rules: &'a [Item],
    identity: &Identity,
    user: &str,
) -> Result<(&'a Item, &'a TrustRecord), AccessError> {
    let rules = rules.iter().filter_map(|item| Some((item, item.record.as_trust()?)));
    let fitting: Vec<_> = rules.filter(|(_, rule)| fits(rule, identity)).collect();
    let named = fitting.iter().find(|(_, rule)| format!("{}+{}", rule.owner, rule.robot) == user);
    named.or(fitting.first()).copied().ok_or_else(|| unfit(identity))
}

/// Tells the owner of a valid token what it says, which they know, and not what it should say.
fn unfit(identity: &Identity) -> AccessError {
    let cut = |text: &str| text.chars().take(SHOWN_MAX_CHARS).collect::<String>();
    let subject = cut(identity.claims.get("sub").and_then(Value::as_str).unwrap_or_default());
    let audiences = cut(&identity.audiences.join(", "));
    AccessError::Forbidden(format!(
        "the identity token is valid, but no trust fits its audience ({audiences}) and claims (sub: {subject})"
    ))
}

fn fits(rule: &TrustRecord, identity: &Identity) -> bool {
    let is_claimed = |(name, pattern): (&String, &String)| match identity.claims.get(name) {
        Some(Value::String(text)) => matches(pattern, text),
        Some(Value::Bool(value)) => *pattern == value.to_string(),
        Some(Value::Number(number)) => *pattern == number.to_string(),
        _ => false,
    };
    identity.audiences.contains(&rule.audience) && rule.claims.iter().all(is_claimed)
}

/// Refuses rules that let in nobody, or everybody.
pub(crate) fn check(wanted: &TrustWanted) -> Result<(), AccessError> {
    let refuse = |why: String| Err(AccessError::Invalid(why));
    check_issuer(&wanted.issuer)?;
    if wanted.audience.is_empty() || wanted.audience.len() > 256 {
        return refuse(
            "the audience has to be given: the registry's own host name is the usual one".to_owned(),
        );
    }
    // Every job of a public CI service has a token of the same issuer.
    if wanted.claims.values().all(|pattern| pattern.trim_matches(['*', '?']).is_empty()) {
        return refuse(
            "at least one claim has to be given, or everybody with an account at the issuer is let in"
                .to_owned(),
        );
    }
    let shared = SHARED_ISSUERS.iter().find(|(issuer, _)| *issuer == wanted.issuer.trim_end_matches('/'));
    if let Some((issuer, names)) = shared.filter(|(_, names)| !says_whose(&wanted.claims, names)) {
        return refuse(format!(
            "everybody can have an account at {issuer}: one of the claims {} has to say whose jobs are let in",
            names.join(", ")
        ));
    }
    crate::access::tokens::check_limits(&Limits::Scopes(wanted.scopes.clone()))
}

/// An owner comes first in a claim, up to a slash, and is no pattern.
fn says_whose(claims: &BTreeMap<String, String>, names: &[&str]) -> bool {
    let owner = |name: &&str| claims.get(*name)?.split('/').next();
    names.iter().filter_map(owner).any(|owner| !owner.is_empty() && !owner.contains(['*', '?']))
}

fn check_issuer(issuer: &str) -> Result<(), AccessError> {
    let refuse = |why: &str| Err(AccessError::Invalid(why.to_owned()));
    if issuer.contains(['?', '#', '@']) || issuer.len() > 512 || !issuer.is_ascii() {
        return refuse("the issuer has to be a plain address");
    }
    let uri = issuer.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(Uri::authority).and_then(plain_host);
    let is_local = |host: &str| matches!(host, "127.0.0.1" | "localhost" | "[::1]");
    match issuer.split_once("://").zip(host) {
        Some((("https", _), _)) => Ok(()),
        Some((("http", _), host)) if is_local(host) => Ok(()),
        _ => refuse("the issuer has to be an https:// address; http:// is for one on this very machine"),
    }
}

/// Returns the host, if it is a name or an address and nothing than a port follows it.
fn plain_host(authority: &Authority) -> Option<&str> {
    let host = authority.host();
    let is_host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<Ipv6Addr>().is_ok(),
        None => host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
    };
    let port = authority.as_str().strip_prefix(host)?;
    let is_port =
        |digits: &str| digits.parse::<u16>().is_ok() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_alone = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
    (is_host && is_alone && !host.is_empty()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Permission, Scope};

    fn wanted(issuer: &str, claims: &[(&str, &str)]) -> TrustWanted {
        TrustWanted {
            issuer: issuer.to_owned(),
            audience: "registry.example".to_owned(),
            claims: claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            owner: "team".parse().unwrap(),
            robot: "ci".parse().unwrap(),
            scopes: vec![Scope {
                repositories: "team/*".to_owned(),
                permissions: [Permission::Push].into_iter().collect(),
            }],
        }
    }

    #[test]
    fn an_issuer_is_an_https_address_or_on_this_machine() {
        for issuer in [
            "https://issuer.example",
            "https://issuer.example:8443/path/",
            "http://127.0.0.1:80/a",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(check(&wanted(issuer, &[("sub", "a")])).is_ok(), "{issuer}");
        }
        for issuer in [
            "http://issuer.example",
            "http://localhost.issuer.example",
            "http://127.0.0.1.issuer.example",
            "https://user@issuer.example",
            "https://issuer.example?a=b",
            "https://issuer.example#a",
            "https://",
            "issuer.example",
            "ftp://issuer.example",
            "",
        ] {
            assert!(check(&wanted(issuer, &[("sub", "a")])).is_err(), "{issuer}");
        }
    }

    #[test]
    fn a_trust_in_an_issuer_that_many_share_says_whose_jobs_are_let_in() {
        let github = "https://token.actions.githubusercontent.com";
        for claim in [
            ("repository_id", "456789"),
            ("repository_owner_id", "123456"),
            ("repository", "acme/*"),
            ("sub", "repo:acme@123456/app@456789:*"),
        ] {
            assert!(check(&wanted(github, &[claim, ("ref", "refs/heads/main")])).is_ok(), "{claim:?}");
        }
        for claim in [
            ("ref", "refs/heads/main"),
            ("repository", "*/app"),
            ("repository", "acme*/app"),
            ("repository_id", "45678?"),
            ("repository_owner", ""),
            ("sub", "repo:*"),
            ("sub", "*"),
        ] {
            assert!(check(&wanted(github, &[claim, ("environment", "prod")])).is_err(), "{claim:?}");
        }
        assert!(check(&wanted("https://gitlab.com", &[("ref_protected", "true")])).is_err());
        assert!(check(&wanted("https://gitlab.com/", &[("ref_protected", "true")])).is_err());
        assert!(check(&wanted("https://gitlab.example", &[("ref_protected", "true")])).is_ok());
    }
}
