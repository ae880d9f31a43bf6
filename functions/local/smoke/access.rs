//! Being let in, and being told how to log in.

use anyhow::{Context, Result, bail, ensure};
use http::{Method, Uri};

use super::check::{Case, Finding};
use super::reply::Reply;
use super::target::Target;

/// The first of them decides whether anything else can be checked.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "the registry lets this client in",
        essential: true,
        advice: "smoke does not log in: try a deployment with Access=open, then close it again; if nothing \
                 answers, look at the endpoint and the certificate",
        run: |target| Box::pin(lets_in(target)),
    },
    Case {
        name: "a 401 carries its challenge",
        essential: true,
        advice: "no client can log in: the mapping of the HTTP API for 401 does not bring WWW-Authenticate back; \
                 the edge has to answer, see infra/README.md",
        run: |target| Box::pin(challenge_is_kept(target)),
    },
    Case {
        name: "the realm names the asked host",
        essential: false,
        advice: "the registry does not learn the viewer's host: look at x-viewer-host in the edge's function, and \
                 at DomainName",
        run: |target| Box::pin(realm_is_here(target)),
    },
];

async fn ping(target: &Target) -> Result<Reply> {
    target.send(target.ask(Method::GET, "/v2/")?).await
}

async fn lets_in(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?.expect(200)?;
    let fact = format!("GET /v2/ was answered 200 after {} ms", reply.elapsed.as_millis());
    Ok(Finding::Holds(fact))
}

async fn challenge_is_kept(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?;
    if reply.status != 401 {
        return Ok(no_accounts(&reply));
    }
    let renamed = reply.header("x-amzn-remapped-www-authenticate");
    match (reply.header("www-authenticate"), renamed) {
        (Some(challenge), None) => Ok(Finding::Holds(challenge.to_owned())),
        (Some(challenge), Some(_)) => Ok(Finding::Holds(format!("{challenge} (renamed, and repaired)"))),
        (None, Some(_)) => bail!("it came as x-amzn-Remapped-WWW-Authenticate"),
        (None, None) => bail!("401 without WWW-Authenticate"),
    }
}

async fn realm_is_here(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?;
    if reply.status != 401 {
        return Ok(no_accounts(&reply));
    }
    let Some(challenge) = reply.header("www-authenticate") else {
        return Ok(Finding::NotChecked("the 401 has no challenge".to_owned()));
    };
    let Some(realm) = realm_of(challenge) else {
        return Ok(Finding::NotChecked(format!("the challenge has no token server: {challenge}")));
    };
    let url: Uri = realm.parse().with_context(|| format!("the realm {realm:?} is no URL"))?;
    ensure!(url.authority() == target.base.authority(), "the realm is {realm}");
    Ok(Finding::Holds(realm.to_owned()))
}

fn no_accounts(reply: &Reply) -> Finding {
    Finding::NotChecked(format!("nobody was asked to log in: GET /v2/ was answered {}", reply.status))
}

fn realm_of(challenge: &str) -> Option<&str> {
    let parameters = challenge.strip_prefix("Bearer ")?;
    parameters.split_once("realm=\"")?.1.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bearer_challenge_has_a_token_server() {
        let bearer = r#"Bearer service="r",realm="https://r.example/token""#;
        assert_eq!(realm_of(bearer), Some("https://r.example/token"));
        assert_eq!(realm_of(r#"Basic realm="registry""#), None);
    }
}
