//! One upload session, asked twice at once.

use super::{Processes, assert_one_of, in_every_order, in_every_order_of, in_orders};
use crate::client::{Reply, blob, committing};
use crate::content::{Content, sha256, sha512};
use crate::world::World;

#[test]
fn of_two_chunks_for_the_same_place_one_is_taken() {
    in_every_order_of(Processes::One, &async |_: &World, first, second| {
        let (location, layer) = (first.begin("app").await, Content::blob("ab"));
        let (one, two) =
            tokio::join!(first.patch_at(&location, "0-1", "ab"), second.patch_at(&location, "0-1", "ab"));
        let mut statuses = [one.status.as_u16(), two.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 416]);
        first.put(&committing(&location, &layer.digest), "").await.expect(201);
    });
}

#[test]
fn two_chunks_without_a_place_follow_one_another() {
    in_every_order_of(Processes::One, &async |_: &World, first, second| {
        let location = first.begin("app").await;
        let (one, two) = tokio::join!(first.patch(&location, "abc"), second.patch(&location, "de"));
        let mut ranges = [one.expect(202), two.expect(202)].map(|reply| reply.header("range").to_owned());
        ranges.sort();
        let whole = if ranges[0] == "0-1" { "deabc" } else { "abcde" };
        assert_eq!(ranges[1], "0-4");
        let layer = Content::blob(whole);
        first.put(&committing(&location, &layer.digest), "").await.expect(201);
        assert_eq!(first.get(&blob("app", &layer.digest)).await.body, whole);
    });
}

/// Chunks of several processes, all at once: each is taken whole or refused, and the upload goes on.
#[test]
fn of_chunks_that_overlap_in_several_processes_those_that_were_acknowledged_are_kept() {
    for begun in ["", "begun"] {
        in_every_order_of(Processes::Two, &async |world: &World, first, second| {
            let (location, third) = (first.begin("app").await, world.client());
            if !begun.is_empty() {
                first.patch(&location, begun).await.expect(202);
            }
            let chunks = ["one", "the second", "a third of them"];
            let (one, two, three) = tokio::join!(
                first.patch(&location, chunks[0]),
                second.patch(&location, chunks[1]),
                third.patch(&location, chunks[2])
            );
            let replies = [one, two, three];
            replies.iter().for_each(|reply| assert_one_of(reply, &[202, 429]));
            let taken = chunks.iter().zip(&replies).filter(|(_, reply)| reply.status == 202);
            let mut taken: Vec<_> = taken.map(|(chunk, reply)| (end(reply), *chunk)).collect();
            taken.sort_unstable();
            assert!(!taken.is_empty(), "somebody has to get on");
            let whole = taken.iter().fold(begun.to_owned(), |whole, (_, chunk)| whole + chunk);
            assert_eq!(end(&first.get(&location).await.expect(204)) + 1, whole.len());
            let layer = Content::blob(whole.clone());
            second.put(&committing(&location, &layer.digest), "").await.expect(201);
            assert_eq!(first.get(&blob("app", &layer.digest)).await.body, whole);
        });
    }
}

/// Returns the last byte that an answer names.
fn end(reply: &Reply) -> usize {
    reply.header("range").trim_start_matches("0-").parse().unwrap()
}

#[test]
fn a_commit_ends_its_session_or_leaves_it_whole_whatever_chunk_comes_beside_it() {
    for is_known in [false, true] {
        in_every_order_of(Processes::Two, &async |_: &World, first, second| {
            let (begun, both) = (Content::blob("begun"), Content::blob("begun and more"));
            if is_known {
                first.push_blob("other", &begun).await.expect(201);
            }
            let location = first.begin("app").await;
            first.patch(&location, "begun").await.expect(202);
            let commit = committing(&location, &begun.digest);
            let (commit, chunk) = tokio::join!(first.put(&commit, ""), second.patch(&location, " and more"));
            // 400: the chunk came first, and these bytes are no longer all there are.
            assert_one_of(&commit, &[201, 400, 429]);
            if commit.status == 201 {
                assert_one_of(&chunk, &[202, 404, 429]);
                assert_eq!(second.get(&blob("app", &begun.digest)).await.body, "begun");
            } else {
                chunk.expect(202);
                second.put(&committing(&location, &both.digest), "").await.expect(201);
            }
        });
    }
}

/// Such a digest is compared with an object, so that the bytes are one by then.
#[test]
fn a_commit_by_another_algorithm_beside_a_chunk_leaves_no_session_of_which_nothing_can_become() {
    in_every_order_of(Processes::Two, &async |_: &World, first, second| {
        let location = first.begin("app").await;
        first.patch(&location, "begun").await.expect(202);
        let commit = committing(&location, &sha512(b"begun"));
        let (commit, _) = tokio::join!(first.put(&commit, ""), second.patch(&location, " and more"));
        assert_one_of(&commit, &[201, 400, 429]);
        let status = first.get(&location).await;
        if commit.status == 429 {
            let stored = &b"begun and more"[..=end(&status.expect(204))];
            second.put(&committing(&location, &sha256(stored)), "").await.expect(201);
        } else {
            status.expect(404);
        }
    });
}

/// A client that heard nothing may have been heard.
#[test]
fn a_chunk_sent_twice_at_once_is_there_once_and_whoever_sent_it_can_go_on() {
    in_every_order_of(Processes::Two, &async |_: &World, first, second| {
        let location = first.begin("app").await;
        first.patch(&location, "begun").await.expect(202);
        let (one, two) =
            tokio::join!(first.patch_at(&location, "5-8", "more"), second.patch_at(&location, "5-8", "more"));
        let replies = [one, two];
        replies.iter().for_each(|reply| assert_one_of(reply, &[202, 416, 429]));
        assert!(replies.iter().any(|reply| reply.status == 202), "somebody has to get on");
        let layer = Content::blob("begunmore");
        second.put(&committing(&location, &layer.digest), "").await.expect(201);
    });
}

#[test]
fn a_session_that_is_cancelled_beside_a_chunk_is_over() {
    in_every_order_of(Processes::Two, &async |_: &World, first, second| {
        let location = first.begin("app").await;
        first.patch(&location, "begun").await.expect(202);
        let (cancelled, chunk) = tokio::join!(first.delete(&location), second.patch(&location, "more"));
        cancelled.expect(204);
        assert_one_of(&chunk, &[202, 404, 429]);
        second.get(&location).await.expect(404);
    });
}

#[test]
fn a_commit_sent_twice_at_once_succeeds_once_at_least() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        first.patch(&location, "layer").await.expect(202);
        let path = committing(&location, &layer.digest);
        let (one, two) = tokio::join!(first.put(&path, ""), second.put(&path, ""));
        one.expect(201);
        two.expect(201);
        let reply = world.client().get(&blob("app", &layer.digest)).await.expect(200);
        assert_eq!(reply.body, "layer");
    });
}

#[test]
fn a_commit_sent_twice_beside_a_push_of_the_same_bytes_succeeds_each_time() {
    in_orders(3000, World::yielding, Processes::Two, &async |world, first, second| {
        let (layer, third) = (Content::blob("layer"), world.client());
        let location = first.begin("app").await;
        first.patch(&location, "layer").await.expect(202);
        let path = committing(&location, &layer.digest);
        let (one, two, other) =
            tokio::join!(first.put(&path, ""), second.put(&path, ""), third.push_blob("other", &layer));
        one.expect(201);
        two.expect(201);
        other.expect(201);
    });
}

#[test]
fn an_upload_cancelled_during_an_append_is_over() {
    in_every_order(&async |_, first, second| {
        let location = first.begin("app").await;
        first.patch(&location, "abc").await.expect(202);
        let (appended, cancelled) = tokio::join!(first.patch(&location, "def"), second.delete(&location));
        assert_one_of(&appended, &[202, 404]);
        assert_one_of(&cancelled, &[204, 404]);
        let stands = first.get(&location).await;
        match cancelled.status.as_u16() {
            204 => drop(stands.expect(404)),
            _ => assert_eq!(stands.expect(204).header("range"), "0-5"),
        }
    });
}

#[test]
fn an_upload_is_either_cancelled_or_committed() {
    in_every_order(&async |world, first, second| {
        let layer = Content::blob("layer");
        let location = first.begin("app").await;
        first.patch(&location, "layer").await.expect(202);
        let path = committing(&location, &layer.digest);
        let (committed, cancelled) = tokio::join!(first.put(&path, ""), second.delete(&location));
        let outcome = (committed.status.as_u16(), cancelled.status.as_u16());
        assert!([(201, 404), (404, 204)].contains(&outcome), "{outcome:?}");
        let readable = if outcome.0 == 201 { 200 } else { 404 };
        world.client().get(&blob("app", &layer.digest)).await.expect(readable);
    });
}
