//! Which tokens are the issuer's.

use serde_json::{Value, json};

use crate::asking::Asker;
use crate::issuer::LocalIssuer;
use crate::signer::{Signer, base64, hmac_token, unsigned_token};

/// An issuer with a key of each kind, and one who asks.
async fn parties() -> (LocalIssuer, Asker, [Signer; 4]) {
    let signers = [Signer::rsa("rsa"), Signer::p256("p256"), Signer::p384("p384"), Signer::ed25519("ed")];
    let issuer = LocalIssuer::start(&signers.each_ref()).await;
    (issuer, Asker::new(), signers)
}

#[tokio::test]
async fn tokens_of_each_kind_of_key_are_accepted_with_all_they_say() {
    let (issuer, asker, signers) = parties().await;
    for signer in &signers {
        let claims = asker.claims(&issuer, &json!({"aud": ["a", "registry.test"], "ref_protected": true}));
        let identity = asker.verify(&issuer, &signer.token(&claims)).await.unwrap();
        assert_eq!(identity.audiences, ["a", "registry.test"]);
        assert_eq!(identity.expires.as_secs(), claims["exp"].as_u64().unwrap());
        assert_eq!(identity.not_before.unwrap().as_secs(), claims["nbf"].as_u64().unwrap());
        assert_eq!(serde_json::to_value(identity.claims).unwrap(), claims);
    }
}

#[tokio::test]
async fn tokens_of_aws_are_accepted_in_both_algorithms() {
    let (issuer, asker, [rsa, _, p384, _]) = parties().await;
    let claims = asker.claims(
        &issuer,
        &json!({
            "sub": "arn:aws:iam::123456789012:role/Deploy",
            "https://sts.amazonaws.com/": {"aws_account": "123456789012", "source_region": "eu-central-1"},
        }),
    );
    for signer in [&rsa, &p384] {
        let identity = asker.verify(&issuer, &signer.token(&claims)).await.unwrap();
        assert_eq!(identity.claims["sub"], "arn:aws:iam::123456789012:role/Deploy");
    }
}

#[tokio::test]
async fn a_key_that_says_no_algorithm_signs_with_each_of_its_kind() {
    let signer = Signer::rsa("rsa");
    let issuer = LocalIssuer::start(&[]).await;
    let mut jwk = signer.parameters();
    jwk["kid"] = json!("rsa");
    issuer.publish_raw(&[jwk]);
    let asker = Asker::new();
    for algorithm in ["RS256", "RS384", "RS512", "PS256"] {
        let header = json!({"alg": algorithm, "kid": "rsa"});
        let token = signer.token_with(&header, &asker.claims(&issuer, &json!({})));
        assert!(asker.verify(&issuer, &token).await.is_ok(), "{algorithm}");
    }
}

#[tokio::test]
async fn a_signature_of_another_key_or_over_other_words_is_refused() {
    let (issuer, asker, [rsa, p256, ..]) = parties().await;
    let claims = asker.claims(&issuer, &json!({}));
    for stranger in
        [Signer::other_rsa("rsa"), Signer::p256("p256"), Signer::p384("p384"), Signer::ed25519("ed")]
    {
        let result = asker.verify(&issuer, &stranger.token(&claims)).await;
        Asker::assert_unsigned(result, &stranger.kid);
    }
    for signer in [&rsa, &p256] {
        let token = signer.token(&claims);
        let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
        parts[1] = base64(asker.claims(&issuer, &json!({"sub": "else"})).to_string().as_bytes());
        Asker::assert_unsigned(asker.verify(&issuer, &parts.join(".")).await, "other claims");
        Asker::assert_unsigned(asker.verify(&issuer, token.rsplit_once('.').unwrap().0).await, "two parts");
        Asker::assert_unsigned(asker.verify(&issuer, &format!("{token}.{token}")).await, "more parts");
        assert!(asker.verify(&issuer, &token).await.is_ok());
    }
}

#[tokio::test]
async fn an_algorithm_that_is_not_the_keys_is_refused() {
    let (issuer, asker, [rsa, p256, p384, ed]) = parties().await;
    let claims = asker.claims(&issuer, &json!({}));
    for signer in [&rsa, &p256, &p384, &ed] {
        for algorithm in
            ["RS256", "RS384", "PS256", "ES256", "ES384", "EdDSA", "HS256", "none", "None", "ES512"]
        {
            if algorithm != signer.algorithm() {
                let token = signer.token_with(&json!({"alg": algorithm, "kid": signer.kid}), &claims);
                Asker::assert_unsigned(asker.verify(&issuer, &token).await, algorithm);
            }
        }
    }
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    let (issuer, asker, signers) = parties().await;
    let claims = asker.claims(&issuer, &json!({}));
    for signer in &signers {
        let jwk = signer.jwk().to_string();
        for secret in [signer.public_bytes(), jwk.into_bytes()] {
            let token = hmac_token(&json!({"alg": "HS256", "kid": signer.kid}), &claims, &secret);
            Asker::assert_unsigned(asker.verify(&issuer, &token).await, &signer.kid);
        }
    }
}

#[tokio::test]
async fn a_shared_secret_that_is_published_is_no_key() {
    let issuer = LocalIssuer::start(&[]).await;
    issuer.publish_raw(&[
        json!({"kty": "oct", "kid": "a", "alg": "HS256", "use": "sig", "k": base64(b"secret")}),
    ]);
    let asker = Asker::new();
    for header in [json!({"alg": "HS256", "kid": "a"}), json!({"alg": "HS256"})] {
        let token = hmac_token(&header, &asker.claims(&issuer, &json!({})), b"secret");
        Asker::assert_unsigned(asker.verify(&issuer, &token).await, "oct");
    }
}

#[tokio::test]
async fn what_is_not_signed_is_refused_and_nobody_is_asked() {
    let (issuer, asker, [rsa, ..]) = parties().await;
    let claims = asker.claims(&issuer, &json!({}));
    for algorithm in ["none", "None", "NONE", "nOnE", "", "HS256"] {
        let token = unsigned_token(&json!({"alg": algorithm, "kid": rsa.kid}), &claims);
        Asker::assert_unsigned(asker.verify(&issuer, &token).await, algorithm);
    }
    for text in ["", ".", "..", "a.b.c", "eyJ.eyJ.", &format!("{}a", rsa.token(&claims).repeat(100))] {
        Asker::assert_unsigned(asker.verify(&issuer, text).await, text);
    }
    assert_eq!(issuer.asked_at_all(), 0);
    let token = rsa.token(&claims);
    let unsigned = &token[..=token.rfind('.').unwrap()];
    Asker::assert_unsigned(asker.verify(&issuer, unsigned).await, "an empty signature");
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    let (issuer, asker, _) = parties().await;
    let thief = Signer::p256("thief");
    let elsewhere = LocalIssuer::start(&[&thief]).await;
    let claims = asker.claims(&issuer, &json!({}));
    let url = format!("{}/keys", elsewhere.url);
    let tricks = [
        json!({"jwk": thief.jwk()}),
        json!({"jku": url}),
        json!({"x5u": url}),
        json!({"x5c": [base64(&thief.public_bytes())]}),
        json!({"jwk": thief.jwk(), "jku": url}),
    ];
    for trick in tricks {
        for kid in ["thief", "p256"] {
            let mut header = json!({"alg": "ES256", "kid": kid});
            header.as_object_mut().unwrap().extend(trick.as_object().unwrap().clone());
            let result = asker.verify(&issuer, &thief.token_with(&header, &claims)).await;
            Asker::assert_unsigned(result, &header.to_string());
        }
    }
    assert_eq!(elsewhere.asked_at_all(), 0);
}

#[tokio::test]
async fn what_has_to_be_understood_and_is_not_is_refused() {
    let (issuer, asker, [_, p256, ..]) = parties().await;
    let claims = asker.claims(&issuer, &json!({}));
    for further in [json!({"crit": ["b64"], "b64": false}), json!({"crit": ["exp"]}), json!({"zip": "DEF"})] {
        let mut header = json!({"alg": "ES256", "kid": "p256"});
        header.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        Asker::assert_unsigned(asker.verify(&issuer, &p256.token_with(&header, &claims)).await, "crit");
    }
}

#[tokio::test]
async fn a_token_names_its_key_unless_there_is_but_one() {
    let (issuer, asker, [_, p256, ..]) = parties().await;
    let nameless = json!({"alg": "ES256"});
    let claims = asker.claims(&issuer, &json!({}));
    Asker::assert_unsigned(asker.verify(&issuer, &p256.token_with(&nameless, &claims)).await, "of four");

    let only = LocalIssuer::start(&[&p256]).await;
    let claims = asker.claims(&only, &json!({}));
    assert!(asker.verify(&only, &p256.token_with(&nameless, &claims)).await.is_ok());
    let other = json!({"alg": "ES256", "kid": "other"});
    Asker::assert_unsigned(asker.verify(&only, &p256.token_with(&other, &claims)).await, "another name");
}

#[tokio::test]
async fn a_key_is_used_for_what_it_is_published_for() {
    let signer = Signer::p256("a");
    let asker = Asker::new();
    let published = |further: Value| {
        let mut jwk = signer.parameters();
        jwk["kid"] = json!("a");
        jwk.as_object_mut().unwrap().extend(further.as_object().unwrap().clone());
        jwk
    };
    let cases = [
        (json!({}), true),
        (json!({"use": "sig"}), true),
        (json!({"key_ops": ["verify"]}), true),
        (json!({"alg": "ES256"}), true),
        (json!({"use": "enc"}), false),
        (json!({"key_ops": ["encrypt"]}), false),
        (json!({"alg": "ES384"}), false),
        (json!({"alg": "ECDH-ES"}), false),
        (json!({"crv": "P-384"}), false),
        (json!({"kty": "RSA"}), false),
        (json!({"x": "AAAA"}), false),
    ];
    for (further, is_good) in cases {
        let issuer = LocalIssuer::start(&[]).await;
        issuer.publish_raw(&[published(further.clone())]);
        let result = asker.verify(&issuer, &signer.token(&asker.claims(&issuer, &json!({})))).await;
        assert_eq!(result.is_ok(), is_good, "{further}: {result:?}");
    }
}

#[tokio::test]
async fn keys_that_nobody_understands_do_not_hide_the_others() {
    let signer = Signer::ed25519("ed");
    let issuer = LocalIssuer::start(&[]).await;
    issuer.publish_raw(&[
        json!({"kty": "AKP", "kid": "new", "alg": "ML-DSA-65", "pub": "AAAA"}),
        json!({"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "coin"}),
        json!("no key"),
        json!({"kty": "RSA", "kid": 5}),
        signer.jwk(),
    ]);
    let asker = Asker::new();
    assert!(asker.verify(&issuer, &signer.token(&asker.claims(&issuer, &json!({})))).await.is_ok());
}

#[tokio::test]
async fn a_token_that_says_another_issuer_is_refused_even_with_a_good_signature() {
    let (issuer, asker, [_, p256, ..]) = parties().await;
    let others = [
        json!({"iss": "https://token.actions.githubusercontent.com"}),
        json!({"iss": format!("{}/", issuer.url)}),
        json!({"iss": [issuer.url]}),
        json!({"iss": null}),
    ];
    for other in others {
        let token = p256.token(&asker.claims(&issuer, &other));
        Asker::assert_unsigned(asker.verify(&issuer, &token).await, &other.to_string());
    }
}

#[tokio::test]
async fn a_token_without_an_end_is_refused() {
    let (issuer, asker, [_, p256, ..]) = parties().await;
    let mut claims = asker.claims(&issuer, &json!({}));
    claims.as_object_mut().unwrap().remove("exp");
    Asker::assert_unsigned(asker.verify(&issuer, &p256.token(&claims)).await, "no exp");
}
