//! Being let in, being told how to log in, and not being let in.

use anyhow::{Context, Result, bail, ensure};
use http::{Method, Uri, header};

use super::check::{Case, Finding};
use super::location::Location;
use super::login::{bearer, challenge, ping, scope, token};
use super::reply::Reply;
use super::target::Target;

/// What is missing where smoke has nobody to log in.
pub(crate) const NEEDS_LOGIN: &str = "it takes a login: --user NAME --password-stdin";

/// If one of them breaks, nothing else is checked.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: "the registry lets this client in",
        essential: true,
        advice: "look at the endpoint and the certificate if nothing answers, else at user and password",
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
        advice: "clients send passwords elsewhere, or unencrypted: look at x-viewer-host in the edge's function, at \
                 x-forwarded-proto, and at DomainName",
        run: |target| Box::pin(realm_is_here(target)),
    },
    Case {
        name: "a token is given",
        essential: true,
        advice: "no client can log in: if the password is right, look at the log of ApiTokenFunction, and whether \
                 it may read RegistrySecret",
        run: |target| Box::pin(token_is_given(target)),
    },
    Case {
        name: "a push without a login is refused",
        essential: true,
        advice: "anybody can push: close the registry, and look at the functions' SLIPWAY_SECRET",
        run: |target| Box::pin(stranger_cannot_push(target)),
    },
    Case {
        name: "a token of one repository does not open another",
        essential: true,
        advice: "who may push somewhere may push everywhere: close the registry, and report it",
        run: |target| Box::pin(token_opens_its_own_alone(target)),
    },
];

/// Returns whether this client has to log in, and cannot.
pub(crate) async fn needs_login(target: &Target) -> bool {
    target.login.is_none() && ping(target).await.is_ok_and(|reply| reply.status == 401)
}

async fn lets_in(target: &Target) -> Result<Finding> {
    if needs_login(target).await {
        return Ok(Finding::NotChecked(NEEDS_LOGIN.to_owned()));
    }
    let reply = target.send(target.ask(Method::GET, "/v2/")?).await?.expect(200)?;
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
    let realm = match challenge(&reply) {
        Ok(challenge) => challenge.realm,
        Err(error) => return Ok(Finding::NotChecked(format!("{error:#}"))),
    };
    let url: Uri = realm.parse().with_context(|| format!("the realm {realm:?} is no URL"))?;
    let is_here = url.authority() == target.base.authority() && url.scheme() == target.base.scheme();
    ensure!(is_here, "the realm is {realm}");
    Ok(Finding::Holds(realm))
}

/// Somebody who is nobody gets one too, for what is public.
async fn token_is_given(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?;
    if reply.status != 401 {
        return Ok(no_accounts(&reply));
    }
    let challenge = match challenge(&reply) {
        Ok(challenge) => challenge,
        Err(error) => return Ok(Finding::NotChecked(format!("{error:#}"))),
    };
    let scope = scope(target.repository.as_str());
    let (_, seconds) = token(target, None, &challenge, &scope).await.context("without a login")?;
    let Some(login) = &target.login else {
        return Ok(Finding::Holds(format!("for {seconds} s, to somebody who is nobody")));
    };
    let (token, seconds) = token(target, Some(login), &challenge, &scope).await?;
    let ask = target.ask(Method::GET, "/v2/")?.header(header::AUTHORIZATION, bearer(&token)?);
    target.send(ask).await?.expect(200)?;
    Ok(Finding::Holds(format!("for {seconds} s, {} characters", token.len())))
}

async fn stranger_cannot_push(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?;
    if reply.status != 401 {
        return Ok(no_accounts(&reply));
    }
    let begin = target.ask(Method::POST, &target.path("blobs/uploads/"))?;
    let reply = target.send_anonymously(begin).await?;
    note_upload(target, &reply);
    ensure!(matches!(reply.status, 401 | 403), "{}", reply.fact());
    Ok(Finding::Holds(format!("{} {}", reply.status, reply.error_code().unwrap_or_default())))
}

async fn token_opens_its_own_alone(target: &Target) -> Result<Finding> {
    let reply = ping(target).await?;
    if reply.status != 401 {
        return Ok(no_accounts(&reply));
    }
    let (Some(login), Ok(challenge)) = (&target.login, challenge(&reply)) else {
        return Ok(Finding::NotChecked(NEEDS_LOGIN.to_owned()));
    };
    let Ok((token, _)) = token(target, Some(login), &challenge, &scope(target.repository.as_str())).await
    else {
        return Ok(Finding::NotChecked("no token was given".to_owned()));
    };
    let other = format!("/v2/{}-other/blobs/uploads/", target.repository);
    let begin = target.ask(Method::POST, &other)?.header(header::AUTHORIZATION, bearer(&token)?);
    let reply = target.send(begin).await?;
    note_upload(target, &reply);
    ensure!(matches!(reply.status, 401 | 403), "{}", reply.fact());
    Ok(Finding::Holds(format!("{} {}", reply.status, reply.error_code().unwrap_or_default())))
}

/// What should not have begun is cancelled in the end.
fn note_upload(target: &Target, reply: &Reply) {
    let location = reply.location().ok().filter(|_| reply.status == 202);
    if let Some(Ok(location)) = location.map(|text| Location::new(&target.base, text)) {
        target.note_leftover(&location.url);
    }
}

fn no_accounts(reply: &Reply) -> Finding {
    Finding::NotChecked(format!("nobody was asked to log in: GET /v2/ was answered {}", reply.status))
}
