//! Access tokens that nobody made: each is refused, and nothing happens.

use proptest::prelude::*;
use serde_json::json;
use test_support::access::{Ask, bearer};

use super::forger::Forger;
use super::forgeries::forgeries;
use super::house::{House, bearer_of, error_word};
use super::matrix::InMemory;
use crate::client::{Client, manifest, uploads};
use crate::content::Image;
use crate::world::SIGNING_SECRET;

/// A guarded registry with an image, and a robot that may do everything with it.
async fn service() -> (InMemory, u64, String) {
    let house = House::new().await;
    let shown = house.all_in_team().await;
    let client = house.client();
    let image = Image::named("app");
    client.showing(&shown).push_image("team/app", "v1", &image).await.expect(201);
    let now = registry::ports::Clock::now(&*house.world.clock).as_secs();
    let right = bearer_of(&client, &shown, &["repository:team/app:pull,push,delete"]).await;
    (InMemory { client, world: house.world }, now, right)
}

async fn assert_refused(client: &Client, what: &str, token: &str) {
    let client = client.showing(&bearer(token));
    for reply in [
        client.get("/v2/").await,
        client.get(&manifest("team/app", "v1")).await,
        client.post(&uploads("team/app"), "").await,
        client.delete(&manifest("team/app", "v1")).await,
    ] {
        assert_eq!(reply.status, 401, "{what}: {reply:#?}");
        assert_eq!(error_word(&reply), Some("invalid_token"), "{what}: {reply:#?}");
    }
}

#[tokio::test]
async fn no_forged_token_opens_anything() {
    let (service, now, _) = service().await;
    let own = Forger::of(SIGNING_SECRET, now);
    // The forger knows how: what it makes without a fault is let in.
    let good = service.client.showing(&bearer(&own.with_claim("via", json!(["token:none"]))));
    good.get(&manifest("team/app", "v1")).await.expect(200);
    service.client.showing(&bearer(&own.right())).get("/v2/").await.expect(200);
    let before = service.stored().await;
    let forged = forgeries(now);
    for (what, token) in &forged {
        assert_refused(&service.client, what, token).await;
    }
    assert_eq!(service.stored().await, before);
    println!("{} forged tokens", forged.len());
    assert!(forged.len() >= 60);
}

#[tokio::test]
async fn no_bit_of_a_token_can_be_another() {
    let (service, _, right) = service().await;
    let right = right.trim_start_matches("Bearer ");
    let before = service.stored().await;
    for at in 0..right.len() {
        for bit in 0..7 {
            let mut flipped = right.as_bytes().to_vec();
            flipped[at] ^= 1 << bit;
            let Ok(token) = String::from_utf8(flipped) else { continue };
            if token.trim() != token || http::HeaderValue::from_str(&token).is_err() {
                continue;
            }
            let reply = service.client.showing(&bearer(&token)).get(&manifest("team/app", "v1")).await;
            assert_eq!(
                (reply.status.as_u16(), error_word(&reply)),
                (401, Some("invalid_token")),
                "{at} {bit}"
            );
        }
    }
    assert_eq!(service.stored().await, before);
}

#[derive(Clone, Debug)]
enum Mutation {
    Replace(usize, u8),
    Insert(usize, u8),
    Remove(usize, usize),
    Repeat(usize, usize),
    Exchange(usize, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let (at, printable) = (any::<usize>(), 0x21..0x7f_u8);
    prop_oneof![
        (at, printable.clone()).prop_map(|(at, byte)| Mutation::Replace(at, byte)),
        (at, printable).prop_map(|(at, byte)| Mutation::Insert(at, byte)),
        (at, 1..40_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (at, 1..40_usize).prop_map(|(at, length)| Mutation::Repeat(at, length)),
        (at, any::<usize>()).prop_map(|(at, other)| Mutation::Exchange(at, other)),
    ]
}

fn mutated(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        let length = bytes.len().max(1);
        let end = |at: usize, by: usize| (at % length + by).min(bytes.len());
        match *mutation {
            _ if bytes.is_empty() => {}
            Mutation::Replace(at, byte) => bytes[at % length] = byte,
            Mutation::Insert(at, byte) => bytes.insert(at % length, byte),
            Mutation::Remove(at, by) => drop(bytes.drain(at % length..end(at, by))),
            Mutation::Repeat(at, by) => {
                let piece = bytes[at % length..end(at, by)].to_vec();
                bytes.splice(at % length..at % length, piece);
            }
            Mutation::Exchange(at, other) => bytes.swap(at % length, other % length),
        }
    }
    bytes
}

#[test]
fn a_mutated_token_is_no_token() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let (service, _, right) = runtime.block_on(service());
    let right = right.trim_start_matches("Bearer ").as_bytes().to_vec();
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(mutations in proptest::collection::vec(mutation(), 1..4))| {
        let token = mutated(right.clone(), &mutations);
        prop_assume!(token != right);
        let token = String::from_utf8(token).unwrap();
        let reply = runtime.block_on(service.client.showing(&bearer(&token)).get(&manifest("team/app", "v1")));
        prop_assert_eq!((reply.status.as_u16(), error_word(&reply)), (401, Some("invalid_token")));
    });
}
