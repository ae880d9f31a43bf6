//! Access tokens that are right in all but one thing.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::forger::{Forger, changed, encoded};
use crate::world::{SERVICE, SIGNING_SECRET};

const DAY_SECS: u64 = 24 * 60 * 60;

/// Returns every forgery, with what it is.
pub(super) fn forgeries(now: u64) -> Vec<(String, String)> {
    let own = Forger::of(SIGNING_SECRET, now);
    let other = Forger::of(b"the secret of another registry, as long as ours", now);
    let mut forged: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));
    by_algorithm(&own, &mut add);
    by_header(&own, &other, &mut add);
    by_key_id(&own, &other, &mut add);
    by_claims(&own, &mut add);
    by_text(&own, &other, &mut add);
    forged
}

fn by_algorithm(own: &Forger, add: &mut impl FnMut(&str, String)) {
    let claims = encoded(own.claims().to_string());
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let header = encoded(changed(own.header(), "alg", none.into()));
        add(&format!("alg {none:?} without a signature"), format!("{header}.{claims}."));
        add(&format!("alg {none:?} with a signature"), own.with_header("alg", none.into()));
    }
    let public = own.public();
    for secret in
        [public, encoded(public).as_bytes(), BASE64_STANDARD.encode(public).as_bytes(), b"", SIGNING_SECRET]
    {
        add("HS256 with what everybody or nobody knows", own.hmac("HS256", secret));
    }
    add("HS512 with the public key", own.hmac("HS512", public));
    add("EdDSA with an HMAC as signature", own.hmac("EdDSA", public));
    for algorithm in
        ["RS256", "PS256", "ES256", "ES384", "HS256", "HS384", "Ed25519", "eddsa", "EdDSA ", "XX"]
    {
        add(&format!("alg {algorithm} over a right signature"), own.with_header("alg", algorithm.into()));
    }
    for value in [json!(["EdDSA"]), json!(0), json!({ "alg": "EdDSA" }), json!(true), Value::Null] {
        add(&format!("alg {value}"), own.with_header("alg", value));
    }
}

fn by_header(own: &Forger, other: &Forger, add: &mut impl FnMut(&str, String)) {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(other.public()), "kid": other.kid() });
    let own_jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(own.public()), "kid": own.kid() });
    add("jwk with its own key, which signed", other.with_header("jwk", jwk.clone()));
    let tricked = changed(other.header(), "jwk", jwk.clone());
    let tricked = changed(serde_json::from_str(&tricked).unwrap(), "kid", own.kid().into());
    add("jwk with its own key under our kid", other.signed(&tricked, &other.claims().to_string()));
    for (field, value) in [
        ("jwk", own_jwk),
        ("jwk", jwk),
        ("jku", "https://evil.example/keys".into()),
        ("x5u", "https://evil.example/cert".into()),
        ("x5c", json!(["MIIB"])),
        ("x5t", "abc".into()),
        ("x5t#S256", "abc".into()),
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("b64", false.into()),
        ("b64", true.into()),
        ("cty", "JWT".into()),
        ("enc", "A256GCM".into()),
        ("zip", "DEF".into()),
        ("url", "https://evil.example".into()),
        ("nonce", "1".into()),
        ("p2c", 1_000_000_000.into()),
        ("unknown", "field".into()),
        ("typ", "at+jwt".into()),
        ("typ", "jwt".into()),
        ("typ", "JOSE".into()),
        ("typ", "".into()),
        ("typ", 1.into()),
        ("typ", Value::Null),
    ] {
        add(&format!("header {field} = {value}"), own.with_header(field, value));
    }
    let claims = own.claims().to_string();
    let kid = own.kid();
    for header in [
        format!(r#"{{"typ":"JWT","alg":"EdDSA","alg":"none","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"other","kid":"{kid}"}}"#),
        format!(r#"{{"typ":"JWT","alg":"EdDSA","kid":"{kid}"}} "#) + "{}",
        format!(r#"[{{"typ":"JWT","alg":"EdDSA","kid":"{kid}"}}]"#),
        "null".to_owned(),
        "\"JWT\"".to_owned(),
        String::new(),
        "{".repeat(5000),
        format!("\u{feff}{}", own.header()),
    ] {
        add(&format!("header {:.40}", header), own.signed(&header, &claims));
    }
}

fn by_key_id(own: &Forger, other: &Forger, add: &mut impl FnMut(&str, String)) {
    add("another ring", other.right());
    let under_our_id = changed(other.header(), "kid", own.kid().into());
    add("another ring under our kid", other.signed(&under_our_id, &other.claims().to_string()));
    add("the kid of another ring", own.with_header("kid", other.kid().into()));
    for kid in [
        json!(""),
        json!("../../../../dev/null"),
        json!("' OR '1'='1"),
        json!("keys\u{0}"),
        json!("https://evil.example/key"),
        json!(own.kid().to_uppercase()),
        json!(format!("{} ", own.kid())),
        json!(own.kid()[..15]),
        json!("x".repeat(10_000)),
        json!([own.kid()]),
        json!(7),
        json!({}),
        Value::Null,
    ] {
        add(&format!("kid {:.40}", kid.to_string()), own.with_header("kid", kid));
    }
}

fn by_claims(own: &Forger, add: &mut impl FnMut(&str, String)) {
    for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "access"] {
        add(&format!("no {claim}"), own.with_claim(claim, Value::Null));
    }
    let (past, far) = (own.now - 2 * DAY_SECS, own.now + DAY_SECS);
    for (claim, value) in [
        ("iss", json!("registry.test ")),
        ("iss", json!("other.example")),
        ("iss", json!("")),
        ("iss", json!([SERVICE])),
        ("iss", json!(1)),
        ("aud", json!("other.example")),
        ("aud", json!("")),
        ("aud", json!("Registry.Test")),
        ("aud", json!([SERVICE])),
        ("aud", json!(["other.example", SERVICE])),
        ("aud", json!({})),
        ("sub", json!(["admin"])),
        ("sub", json!(0)),
        ("sub", json!("Not A Name")),
        ("sub", json!("team+")),
        ("sub", json!("+all")),
        ("sub", json!("a/../b")),
        ("sub", json!("team+all+more")),
        ("exp", json!(past)),
        ("exp", json!(0)),
        ("exp", json!(-1)),
        ("exp", json!((own.now + 300).to_string())),
        ("exp", json!(1.0e300)),
        ("exp", json!(own.now as f64 + 300.5)),
        ("exp", json!(u64::MAX)),
        ("exp", json!([own.now + 300])),
        ("exp", json!(true)),
        ("nbf", json!(far)),
        ("nbf", json!(u64::MAX)),
        ("nbf", json!(-1)),
        ("nbf", json!("0")),
        ("nbf", json!(0.5)),
        ("iat", json!("yesterday")),
        ("iat", json!(-5)),
        ("jti", json!(7)),
        ("access", json!({})),
        ("access", json!("repository:team/app:pull")),
        ("access", json!([["repository", "team/app", "pull"]])),
        ("access", json!([{ "type": "repository", "name": "team/app", "actions": "pull" }])),
        ("access", json!([{ "type": "repository", "name": "team/app" }])),
        ("access", json!([{ "type": "repository", "name": ["team/app"], "actions": ["pull"] }])),
        ("access", json!([null])),
        ("access", json!(1)),
        ("via", json!("token:1")),
        ("via", json!([1])),
        ("via", json!({})),
    ] {
        add(&format!("{claim} = {:.60}", value.to_string()), own.with_claim(claim, value));
    }
    let (header, claims) = (own.header().to_string(), own.claims().to_string());
    let inside = &claims[1..claims.len() - 1];
    for claims in [
        format!("{{{inside},\"sub\":\"admin\"}}"),
        format!("{{\"aud\":\"other\",{inside}}}"),
        format!("{{{inside},\"exp\":99999999999}}"),
        format!("{claims}{{}}"),
        format!("{claims},"),
        format!("[{claims}]"),
        format!("{{{inside},}}"),
        claims[..claims.len() - 1].to_owned(),
        claims.replace('"', "'"),
        "null".to_owned(),
        "{}".to_owned(),
        String::new(),
        "[".repeat(100_000),
        "9".repeat(30_000),
    ] {
        add(&format!("claims {:.40}", claims), own.signed(&header, &claims));
    }
}

fn by_text(own: &Forger, other: &Forger, add: &mut impl FnMut(&str, String)) {
    let right = own.right();
    let parts: Vec<&str> = right.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!() };
    let later = Forger { now: own.now + 1, ..Forger::of(SIGNING_SECRET, own.now) }.right();
    let later_signature = later.rsplit('.').next().unwrap();
    let padded = |part: &str| BASE64_URL_SAFE.encode(BASE64_URL_SAFE_NO_PAD.decode(part).unwrap());
    let standard = BASE64_STANDARD.encode(BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap());
    let trailing = {
        // The last of 86 characters carries two bits: another one with the same two is another text of the same.
        let mut bytes = signature.as_bytes().to_vec();
        let last = bytes.last_mut().unwrap();
        *last = if *last == b'A' { b'B' } else { *last + 1 };
        String::from_utf8(bytes).unwrap()
    };
    for (what, token) in [
        ("the signature of another message", format!("{header}.{claims}.{later_signature}")),
        ("a signature of nothing", format!("{header}.{claims}.")),
        ("no signature part", format!("{header}.{claims}")),
        ("a signature of zeros", format!("{header}.{claims}.{}", encoded([0; 64]))),
        ("a short signature", format!("{header}.{claims}.{}", encoded([0; 63]))),
        ("a long signature", format!("{header}.{claims}.{}", encoded([0; 65]))),
        ("the public key as signature", format!("{header}.{claims}.{}", encoded(own.public()))),
        ("a fourth part", format!("{right}.{signature}")),
        ("an empty fourth part", format!("{right}.")),
        ("an empty first part", format!(".{right}")),
        ("five parts, as an encrypted token has", format!("{header}..{claims}.{signature}.{signature}")),
        ("two tokens", format!("{right}.{right}")),
        ("two tokens with a comma", format!("{right},{right}")),
        ("padding after the signature", format!("{header}.{claims}.{}", padded(signature))),
        ("padding after each part", format!("{}.{}.{}=", padded(header), padded(claims), signature)),
        ("the other base64 alphabet", format!("{header}.{claims}.{standard}/+")),
        ("another last character", format!("{header}.{claims}.{trailing}")),
        ("parts exchanged", format!("{claims}.{header}.{signature}")),
        ("the header twice", format!("{header}.{header}.{signature}")),
        ("a space in the middle", right.replacen('.', ". ", 1)),
        ("a tab in the middle", right.replacen('.', ".\t", 1)),
        ("other dots", right.replace('.', "%2E")),
        ("upper case", right.to_uppercase()),
        ("lower case", right.to_lowercase()),
        ("in quotation marks", format!("\"{right}\"")),
        ("reversed", right.chars().rev().collect()),
        ("nothing", String::new()),
        ("one dot", ".".to_owned()),
        ("two dots", "..".to_owned()),
        ("a million dots", ".".repeat(1_000_000)),
        ("one megabyte", "a".repeat(1_000_000)),
        ("one megabyte after a right token", format!("{right}{}", "A".repeat(1_000_000))),
        ("one megabyte of claims", own.with_claim("jti", "x".repeat(1_000_000).into())),
        (
            "a JSON serialisation",
            json!({ "payload": claims, "protected": header, "signature": signature }).to_string(),
        ),
        ("a word", "anonymous".to_owned()),
        ("another key over the same", {
            let message = format!("{header}.{claims}");
            format!("{message}.{}", encoded(other.pair.sign(message.as_bytes())))
        }),
    ] {
        add(what, token);
    }
    for length in (1..right.len()).step_by(37) {
        add(&format!("cut to {length}"), right[..length].to_owned());
    }
}
