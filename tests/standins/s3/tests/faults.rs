//! Faults, counts, and the end of a stand-in.

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use s3_standin::Fault;

use crate::support::{BUCKET, bytes, code, config, start};

#[tokio::test]
async fn a_refused_call_is_not_done() {
    let bench = start().await;
    bench.standin.faults().plan(
        "PutObject",
        1,
        Fault::Refused { status: 500, code: "InternalError".to_owned() },
    );
    let put = || bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into());
    assert_eq!(code(put().send().await), "InternalError");
    assert!(!bench.exists("a").await);
    put().send().await.unwrap();
    assert!(bench.exists("a").await);
}

#[tokio::test]
async fn a_refused_large_body_still_gets_its_answer() {
    let bench = start().await;
    for size in [1_000_000, 8_000_000, 64_000_000] {
        bench.standin.faults().plan("PutObject", 1, Fault::Throttled);
        let put = bench.client.put_object().bucket(BUCKET).key("a").body(vec![7; size].into());
        assert_eq!(code(put.send().await), "SlowDown", "{size}");
        let put = bench.presigned_put("a").await;
        let put = bench.builder(&put).header("authorization", "Basic x").body(vec![7; size]);
        assert_eq!(put.send().await.unwrap().status(), 400, "{size}");
    }
}

#[tokio::test]
async fn a_fault_meets_the_call_it_was_planned_for() {
    let bench = start().await;
    bench.standin.faults().plan("CopyObject", 1, Fault::Throttled);
    bench.standin.faults().plan("PutObject", 2, Fault::Throttled);
    let put = || bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into());
    put().send().await.unwrap();
    assert_eq!(code(put().send().await), "SlowDown");
    put().send().await.unwrap();
    assert_eq!(bench.standin.faults().pending(), 1, "nobody copied");
    bench.standin.faults().clear();
    assert_eq!(bench.standin.faults().pending(), 0);
}

#[tokio::test]
async fn a_fault_for_good_meets_every_call_but_those_of_faults_before_it() {
    let bench = start().await;
    bench.standin.faults().plan("PutObject", 2, Fault::AppliedThenLost);
    bench.standin.faults().plan_for_good("PutObject", Fault::Throttled);
    let put = || bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into());
    for expected in ["SlowDown", "no answer", "SlowDown", "SlowDown"] {
        assert_eq!(code(put().send().await), expected);
    }
    bench.standin.faults().clear();
    put().send().await.unwrap();
}

#[tokio::test]
async fn only_a_write_with_a_condition_meets_another() {
    let bench = start().await;
    let put = || bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into());
    bench.standin.faults().plan("PutObject", 1, Fault::Conflict);
    assert_eq!(code(put().if_none_match("*").send().await), "ConditionalRequestConflict");
    assert!(!bench.exists("a").await);
    bench.standin.faults().plan("PutObject", 1, Fault::Conflict);
    put().send().await.unwrap();
    assert_eq!(bench.standin.faults().pending(), 1);
}

#[tokio::test]
async fn the_sdk_repeats_a_throttled_call() {
    let bench = start().await;
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let config = config(&bench.standin.endpoint(), &bench.options).retry_config(retries).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    bench.standin.faults().plan("PutObject", 1, Fault::Throttled);
    client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into()).send().await.unwrap();
    assert_eq!(bench.standin.calls().count("PutObject"), 2);
}

#[tokio::test]
async fn a_lost_answer_leaves_the_deed() {
    let bench = start().await;
    bench.standin.faults().plan("PutObject", 1, Fault::AppliedThenLost);
    let put =
        || bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into()).if_none_match("*");
    assert_eq!(code(put().send().await), "no answer");
    assert_eq!(bench.read("a").await, bytes(10, 1));
    assert_eq!(code(put().send().await), "PreconditionFailed", "what a repetition gets to see");
}

#[tokio::test]
async fn a_delayed_call_is_done() {
    let bench = start().await;
    bench.standin.faults().plan("PutObject", 1, Fault::Delayed(Duration::from_millis(20)));
    bench.put("a", bytes(10, 1)).await;
    assert_eq!(bench.standin.faults().pending(), 0);
    assert_eq!(bench.read("a").await, bytes(10, 1));
}

#[tokio::test]
async fn a_put_that_is_cut_is_not_done() {
    let bench = start().await;
    bench.standin.faults().plan("PutObject", 1, Fault::CutAtByte(50_000));
    let put = bench.presigned_put("a").await;
    let cut = bench.builder(&put).body(bytes(100_000, 1)).send().await;
    assert!(cut.is_err(), "{cut:?}");
    assert_eq!(bench.standin.calls().received_bytes(), 50_000);
    assert!(!bench.exists("a").await);
    assert_eq!(bench.send(&put, bytes(100_000, 1)).await.status(), 200);
}

#[tokio::test]
async fn a_get_that_is_cut_ends_before_its_length() {
    let bench = start().await;
    bench.put("a", bytes(1_000_000, 1)).await;
    let get = bench.presigned_get("a").await;
    bench.standin.calls().reset();
    bench.standin.faults().plan("GetObject", 1, Fault::CutAtByte(400_000));
    let mut answer = bench.builder(&get).send().await.unwrap();
    assert_eq!(answer.content_length(), Some(1_000_000));
    let mut received = Vec::new();
    let error = loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => received.extend_from_slice(&chunk),
            end => break end.is_err(),
        }
    };
    assert!(error, "the body must not seem complete");
    assert_eq!(bench.standin.calls().sent_bytes(), 400_000);
    assert!(bytes(1_000_000, 1)[..400_000].starts_with(&received));
}

#[tokio::test]
async fn a_body_shorter_than_the_cut_passes() {
    let bench = start().await;
    bench.standin.faults().plan("PutObject", 1, Fault::CutAtByte(1000));
    bench.put("a", bytes(10, 1)).await;
    assert_eq!(bench.read("a").await, bytes(10, 1));
}

#[tokio::test]
async fn calls_and_bytes_are_counted_until_they_are_reset() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    bench.send(&put, bytes(1000, 1)).await;
    let get = bench.presigned_get("a").await;
    bench.send(&get, Vec::new()).await.bytes().await.unwrap();
    bench.send(&get, Vec::new()).await.bytes().await.unwrap();
    let calls = bench.standin.calls();
    assert_eq!((calls.count("PutObject"), calls.count("GetObject"), calls.count("CopyObject")), (1, 2, 0));
    assert_eq!((calls.received_bytes(), calls.sent_bytes()), (1000, 2000));
    assert_eq!(calls.counts().len(), 2);
    calls.reset();
    assert_eq!((calls.count("PutObject"), calls.received_bytes()), (0, 0));
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let address = bench.standin.address();
    drop(bench.standin);
    // The listener goes with its task, which ends at its next turn.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
