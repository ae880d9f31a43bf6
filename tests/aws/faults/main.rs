//! Every storage call of every operation fails in every way, on the way of a request on AWS: an event of the gateway,
//! the function's own handler, the SDK, HTTP, and stand-ins for DynamoDB and S3. The client is told what the
//! documentation says, repeats, and nothing is lost or made up.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod accounts;
mod case;
mod client;
mod clock;
mod content;
mod deadlines;
mod fault;
mod jobs;
mod layer;
mod managing;
mod operations;
mod outbox;
mod repair;
mod requests;
mod rights;
mod scene;
mod stages;
mod world;

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};

use crate::case::{Seen, Start, faultless, faulty};
use crate::content::Things;
use crate::fault::{Call, Fault};
use crate::layer::Plan;
use crate::operations::Operation;
use crate::rights::Roles;
use crate::world::Cloud;

/// How many cases run beside each other; those that wait for a timeout need nothing else.
const AT_ONCE: usize = 16;

/// After how long a case is given up, so that one that hangs has a name; none takes a hundredth of this.
const CASE_TIMEOUT: Duration = Duration::from_secs(600);

/// Says what to test: `all` every case, or every case of the operations that are named. Otherwise faults that persist
/// begin at the first call or the last one only, and of a collection each step fails the first time that it is done: that
/// costs half of the time, and what is left out differs little.
const WANTED: &str = "SLIPWAY_FAULTS";

/// One cell of the table.
struct Cell {
    start: Arc<Start>,
    plan: Plan,
    call: Call,
    /// Whether it is run unless more is wanted.
    is_telling: bool,
    expected: Arc<Seen>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_storage_call_of_every_operation_is_told_as_documented_and_made_good() {
    let (cloud, things) = (Arc::new(Cloud::start().await), Arc::new(Things::new()));
    let wanted = std::env::var(WANTED).unwrap_or_default();
    let (mut table, mut roles) = (Vec::new(), Roles::of_the_template());
    for operation in Operation::ALL.iter().copied().filter(|operation| is_wanted(&wanted, *operation)) {
        let start = Arc::new(Start::new(&cloud, &things, operation).await);
        let (calls, expected) = faultless(&cloud, &things, &start).await;
        roles.assert_allow(operation, &calls);
        let cells = cells(&start, &calls, &Arc::new(expected));
        let names: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        println!("{operation:?}: {} cases of {}", cells.len(), names.join(", "));
        table.extend(cells);
    }
    if ["", "all"].contains(&wanted.as_str()) {
        assert_needed(&roles);
    }
    let all = table.len();
    table.retain(|cell| !wanted.is_empty() || cell.is_telling);
    let count = table.len();
    tell(&format!("{count} cases of operation x call x fault, of {all}; {WANTED}=all runs all of them"));
    let failed = stream::iter(table).map(|cell| run(cell, &cloud, &things)).buffer_unordered(AT_ONCE);
    let failed: Vec<String> = failed.collect::<Vec<_>>().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{} of {count} cases failed: {failed:#?}", failed.len());
    let has_names = !["", "all"].contains(&wanted.as_str());
    assert!(count >= if has_names { 1 } else { 200 }, "only {count} cases");
}

/// Fails if the functions that nobody asks may do more than they have to.
fn assert_needed(roles: &Roles) {
    let (events, scheduled) = (roles.unused("EventsRole"), roles.unused("ScheduledRole"));
    let is_reason = |line: &&str| {
        // What Lambda does with the role before it calls the function; and who may list is told that an object is
        // not there.
        ["Stream", "GetRecords", "GetShardIterator", "sqs:", "s3:ListBucket "]
            .iter()
            .any(|word| line.contains(word))
    };
    let events: Vec<_> = events.into_iter().filter(|line| !is_reason(line)).collect();
    assert!(events.is_empty() && scheduled.is_empty(), "rights that nothing needs: {events:?} {scheduled:?}");
}

fn is_wanted(wanted: &str, operation: Operation) -> bool {
    ["", "all"].contains(&wanted) || wanted.split(',').any(|name| name == format!("{operation:?}"))
}

/// Says something even where the output of tests is not shown.
fn tell(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).unwrap();
}

/// Returns every fault at every call of the operation, once and for good.
fn cells(start: &Arc<Start>, calls: &[Call], expected: &Arc<Seen>) -> Vec<Cell> {
    let (mut cells, mut steps) = (Vec::new(), BTreeSet::new());
    for (at, call) in calls.iter().enumerate() {
        // A collection does the same for many things.
        let is_new = steps.insert(call.step()) || start.operation != Operation::CollectionBySchedule;
        for fault in Fault::ALL.into_iter().filter(|fault| fault.fits(call)) {
            for persists in [false, true] {
                let plan = Plan { at, fault, persists };
                let is_telling = is_new && (!persists || at == 0 || at + 1 == calls.len());
                let (start, expected) = (Arc::clone(start), Arc::clone(expected));
                cells.push(Cell { start, plan, call: call.clone(), is_telling, expected });
            }
        }
    }
    cells
}

/// Returns what to say of the case if it failed.
async fn run(cell: Cell, cloud: &Arc<Cloud>, things: &Arc<Things>) -> Option<String> {
    let Cell { start, plan, call, expected, .. } = cell;
    let operation = start.operation;
    let (cloud, things) = (Arc::clone(cloud), Arc::clone(things));
    let case = tokio::spawn(async move {
        let case = faulty(&cloud, &things, &start, plan, &expected);
        tokio::time::timeout(CASE_TIMEOUT, case).await.expect("the case does not end");
    });
    case.await.err().map(|panic| {
        let panic = panic.into_panic();
        let why =
            panic.downcast_ref::<String>().map(String::as_str).unwrap_or("see the panic above").to_owned();
        format!("{operation:?}, {plan:?}, {}: {why}", call.operation)
    })
}
