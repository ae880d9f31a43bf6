//! A job by the clock of the stack ends before its function does, and those after it do what it has left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use registry::ports::{Clock, SystemClock, Timestamp};
use registry::testing::SetClock;
use scheduled::{Job, run_at};
use serde_json::{Value, json};

use crate::client::Client;
use crate::content::{Content, Things};
use crate::jobs::{COLLECTED_AFTER, HOUR};
use crate::operations::Operation;
use crate::stages::send_direct;
use crate::world::{Cloud, World};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

const BLOBS: usize = 40;

/// Enough by the hasty clock to look once at all 16 shards of the queue, and too little to settle what is in them.
const TIME: Duration = Duration::from_secs(60 + 50);

/// A clock by which a second passes whenever somebody looks.
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1000, Ordering::SeqCst))
    }
}

async fn garbage(cloud: &Cloud, things: &Things) -> World {
    let world = cloud.world().await;
    Operation::CollectionBySchedule.prepare(&world, things).await;
    for number in 0..BLOBS {
        let blob = Content::blob(format!("nobody needs {number}"));
        Client(world.settled()).post_blob("app", &blob).await.expect(201);
    }
    world
}

async fn collect(world: &World, from: u64, deadline: Timestamp, clock: Arc<dyn Clock>) -> Value {
    let job =
        Job::Collect { dry_run: false, from: Some(from), untagged_days: Some(1), history_days: Some(1) };
    run_at(&world.backend, job, deadline, clock).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_begins_nothing_in_the_minute_before_its_deadline() {
    let (cloud, things) = (Cloud::start().await, Things::new());
    let world = garbage(&cloud, &things).await;
    let now = SystemClock.now().after(COLLECTED_AFTER);
    let clock = || Arc::new(SetClock::at(now));
    let late = collect(&world, 7, now.after(MINUTE), clock()).await;
    assert_eq!([&late["suspects"], &late["next"]], [&json!(0), &json!(7)], "{late}");
    let early = collect(&world, 7, now.after(MINUTE + SECOND), clock()).await;
    assert!(early["suspects"].as_u64() > Some(0) && early["next"].is_null(), "{early}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_that_its_deadline_ends_is_done_by_those_after_it() {
    let (cloud, things) = (Cloud::start().await, Things::new());
    let world = garbage(&cloud, &things).await;
    let mut runs = 0;
    // An object goes an hour after its blob was declared dead.
    for later in [COLLECTED_AFTER, COLLECTED_AFTER + 2 * HOUR] {
        let clock = Arc::new(Hasty(AtomicU64::new(SystemClock.now().after(later).as_millis())));
        let mut from = Some(0);
        while let Some(first) = from {
            let start = Timestamp::from_millis(clock.0.load(Ordering::SeqCst));
            let answer = collect(&world, first, start.after(TIME), Arc::clone(&clock) as _).await;
            assert_eq!(answer["failures"], json!([]), "{answer}");
            from = answer["next"].as_u64();
            runs += 1;
            assert!(runs < 100, "no run gets further than {answer}");
        }
    }
    assert!(runs > 2, "a run does it all, whatever its deadline");
    let blobs = world.items().0.into_iter().filter(|item| item.key.sk == "BLOB").count();
    assert_eq!(blobs, 1, "only the image that has a tag needs one");
    Operation::CollectionBySchedule.complete(&world, &things, "").await;
}

/// By then an adoption begins nothing any more.
const ADOPTION_MARGIN: Duration = Duration::from_secs(5 * 60);

const UPLOADS: usize = 24;

/// A world in which uploads have arrived of which no event told.
async fn arrived(cloud: &Cloud) -> World {
    let world = cloud.world().await;
    for number in 0..UPLOADS {
        let blob = Content::blob(format!("arrived {number}"));
        send_direct(&world, &Client(world.settled()), &blob).await;
    }
    world
}

async fn adopt(world: &World, deadline: Timestamp, clock: Arc<dyn Clock>) -> Value {
    run_at(&world.backend, Job::Adopt, deadline, clock).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_begins_nothing_in_the_five_minutes_before_its_deadline() {
    let cloud = Cloud::start().await;
    let world = arrived(&cloud).await;
    let now = SystemClock.now();
    let clock = || Arc::new(SetClock::at(now));
    let late = adopt(&world, now.after(ADOPTION_MARGIN), clock()).await;
    assert_eq!(late, json!({ "looked_at": 0, "adopted": 0, "failed": 0, "is_whole": false }));
    let early = adopt(&world, now.after(ADOPTION_MARGIN + SECOND), clock()).await;
    assert_eq!(early, json!({ "looked_at": UPLOADS, "adopted": UPLOADS, "failed": 0, "is_whole": true }));
}

#[tokio::test(flavor = "multi_thread")]
async fn adoptions_that_their_deadlines_end_come_to_every_upload() {
    let cloud = Cloud::start().await;
    let world = arrived(&cloud).await;
    let clock = Arc::new(Hasty(AtomicU64::new(SystemClock.now().as_millis())));
    let (mut adopted, mut runs) = (0, 0);
    while adopted < UPLOADS as u64 {
        let start = Timestamp::from_millis(clock.0.load(Ordering::SeqCst));
        // Time to begin a third of them.
        let answer = adopt(&world, start.after(ADOPTION_MARGIN + 10 * SECOND), Arc::clone(&clock) as _).await;
        assert_eq!((&answer["failed"], &answer["is_whole"]), (&json!(0), &json!(false)), "{answer}");
        adopted += answer["adopted"].as_u64().unwrap();
        runs += 1;
        assert!(runs < 300, "{adopted} of {UPLOADS} in {runs} runs");
    }
    assert!(runs > 2, "a run does it all, whatever its deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adoption_looks_at_what_is_fresh_and_every_six_hours_at_the_rest() {
    let cloud = Cloud::start().await;
    let world = arrived(&cloud).await;
    let now = SystemClock.now();
    let run = async |later| {
        let clock = Arc::new(SetClock::at(now.after(later)));
        adopt(&world, Timestamp::from_millis(u64::MAX), clock).await["looked_at"].clone()
    };
    let cases = [
        (MINUTE, UPLOADS),
        (2 * HOUR - 5 * MINUTE, UPLOADS),
        (2 * HOUR + MINUTE, 0),
        (6 * HOUR - 5 * MINUTE, 0),
        (6 * HOUR + MINUTE, UPLOADS),
        (7 * HOUR, 0),
        (48 * HOUR + MINUTE, UPLOADS),
    ];
    for (age, looked_at) in cases {
        assert_eq!(run(age).await, json!(looked_at), "{age:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_that_its_deadline_ends_says_where_it_ended() {
    let (cloud, things) = (Cloud::start().await, Things::new());
    let world = garbage(&cloud, &things).await;
    let now = SystemClock.now().after(COLLECTED_AFTER);
    let job = || Job::Collect { dry_run: true, from: Some(7), untagged_days: Some(1), history_days: Some(1) };
    let run =
        async |deadline| run_at(&world.backend, job(), deadline, Arc::new(SetClock::at(now))).await.unwrap();
    let late = run(now.after(MINUTE)).await;
    assert_eq!([&late["suspects"], &late["next"]], [&json!(0), &json!(7)], "{late}");
    let early = run(now.after(MINUTE + SECOND)).await;
    assert!(early["gone"].as_u64() > Some(0) && early["next"].is_null(), "{early}");
}
