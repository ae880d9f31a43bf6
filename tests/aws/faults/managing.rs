//! Logins and the management API: every storage call of every request fails in every way.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use http::Method;
use registry::jobs::fsck::{Severity, fsck};
use registry::ports::Item;
use registry::records::Record;
use serde_json::{Value, json};

use crate::client::Reply;
use crate::content::Things;
use crate::fault::{Call, Fault};
use crate::layer::Plan;
use crate::requests::{requests, rows};
use crate::rights::Roles;
use crate::scene::{Request, Scene, asked};
use crate::world::{Cloud, World};
use crate::{AT_ONCE, WANTED, tell};

/// What is there in the end.
type Seen = BTreeSet<String>;

/// One cell of the table.
#[derive(Clone)]
struct Cell {
    request: Arc<Request>,
    plan: Plan,
    call: Call,
    expected: Arc<Seen>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_at_every_storage_call_of_logins_and_of_the_management_api_is_told_and_made_good() {
    let cloud = Arc::new(Cloud::start().await);
    let scene = Arc::new(Scene::new(cloud.world().await, &Things::new()).await);
    assert_rows_are_all(&scene).await;
    let (mut table, mut roles, mut steps) = (Vec::new(), Roles::of_the_template(), BTreeSet::new());
    let runs_all = !std::env::var(WANTED).unwrap_or_default().is_empty();
    for request in requests(&scene).into_iter().map(Arc::new) {
        let (calls, expected) = faultless(&cloud, &scene, &request).await;
        roles.assert_allow_job(role_of(&request), &format!("{request:?}"), &calls);
        let cells = cells(&request, &calls, &Arc::new(expected), &mut steps, runs_all);
        let names: Vec<&str> = calls.iter().map(|call| call.operation.as_str()).collect();
        println!("{} {}: {} cases of {}", request.method, request.target, cells.len(), names.join(", "));
        table.extend(cells);
    }
    let count = table.len();
    tell(&format!("{count} cases of logins and management x call x fault; {WANTED}=all runs all of them"));
    let failed = stream::iter(table).map(|cell| run(cell, &cloud, &scene)).buffer_unordered(AT_ONCE);
    let failed: Vec<String> = failed.collect::<Vec<_>>().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{} of {count} cases failed: {failed:#?}", failed.len());
    assert!(count >= 200, "only {count} cases");
}

/// Fails if the API has an operation that has no row, or the other way round.
async fn assert_rows_are_all(scene: &Scene) {
    let document = asked(&scene.world, &Request::new(Method::GET, "/api/v1/openapi.json", 200)).await;
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.replacen("/api/v1", "", 1)))
        })
        .collect();
    let rows =
        rows(&scene.before).into_iter().map(|(method, route, ..)| (method.to_owned(), route.to_owned()));
    assert_eq!(rows.collect::<BTreeSet<_>>(), described);
}

fn role_of(request: &Request) -> &'static str {
    if request.path() == "/token" { "ApiTokenRole" } else { "ApiWriteRole" }
}

/// Returns every fault at every call, once and for good. Unless all are wanted, a read that an earlier request does too is
/// left out, and other calls fail once by the fault whose turn it is; the transaction that ends the work fails by every one,
/// and for good by that one, as does the first call.
fn cells(
    request: &Arc<Request>,
    calls: &[Call],
    expected: &Arc<Seen>,
    steps: &mut BTreeSet<String>,
    runs_all: bool,
) -> Vec<Cell> {
    let last = calls.iter().rposition(|call| call.operation == "TransactWriteItems");
    let mut cells = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        let is_write = ["TransactWriteItems", "PutItem"].contains(&call.operation.as_str());
        let is_new = steps.insert(call.step()) || is_write;
        let fitting: Vec<Fault> = Fault::ALL.into_iter().filter(|fault| fault.fits(call)).collect();
        for (place, fault) in fitting.iter().copied().enumerate() {
            let has_turn = (request.target.len() + at) % fitting.len() == place;
            for persists in [false, true] {
                let is_telling = match persists {
                    false => (has_turn && is_new) || last == Some(at),
                    true => has_turn && (at == 0 || last == Some(at)),
                };
                if runs_all || is_telling {
                    let (request, expected) = (Arc::clone(request), Arc::clone(expected));
                    let plan = Plan { at, fault, persists };
                    cells.push(Cell { request, plan, call: call.clone(), expected });
                }
            }
        }
    }
    cells
}

/// Returns a world of its own for the request.
async fn world(cloud: &Cloud, scene: &Scene, request: &Request) -> World {
    if request.is_first { cloud.world().await } else { cloud.copy(&scene.world).await }
}

async fn faultless(cloud: &Cloud, scene: &Scene, request: &Request) -> (Vec<Call>, Seen) {
    let world = world(cloud, scene, request).await;
    let function = world.guarded(&world.backend, request.role()).await;
    world.layer.begin(None);
    let reply = request.send(&world, &function).await;
    assert_eq!(reply.status, request.status, "{request:?}: {reply:?}");
    (world.layer.end(), look(&world).await)
}

/// Runs the request with this fault, repeats it unless it was answered as if there were none, and fails unless
/// everything is as it is without faults.
async fn faulty(cloud: &Cloud, scene: &Scene, cell: &Cell) {
    let Cell { request, plan, call, expected } = cell;
    let world = world(cloud, scene, request).await;
    let function = world.guarded(&world.backend, request.role()).await;
    world.layer.begin(Some(*plan));
    let reply = request.send(&world, &function).await;
    let calls = world.layer.end();
    let mut may_leave_rest = false;
    assert!(calls.len() > plan.at, "the fault has not happened: {calls:?}");
    if reply.status != request.status {
        assert!(plan.persists, "{call:?} failed once, and the answer is {reply:?}");
        assert_is_told(request, plan.fault, &reply);
        look(&world).await;
        let reply = request.send(&world, &function).await;
        // It may have been done before.
        let is_done = match request.method {
            Method::DELETE => reply.status == 404,
            Method::POST => reply.status == 409,
            _ => false,
        };
        assert!(is_done || reply.status == request.status, "the repetition was answered {reply:?}");
        may_leave_rest = is_done && request.ends_account();
    }
    let mut seen = look(&world).await;
    if may_leave_rest {
        // The account is deleted, and what is left of it opens nothing.
        seen.retain(|row| !is_rest(row) || expected.contains(row));
    }
    assert_eq!(seen, **expected, "something else is there in the end");
}

/// Returns whether it is a membership or a credential, or a line of a list of them.
fn is_rest(row: &str) -> bool {
    let (pk, sk) = row.split_once(' ').unwrap();
    pk == "K#" || (pk.starts_with("A#") && ["M#", "O#", "K#"].iter().any(|kind| sk.starts_with(kind)))
}

fn assert_is_told(request: &Request, fault: Fault, reply: &Reply) {
    assert_eq!(reply.status, fault.told(), "{reply:?}");
    match role_of(request) {
        "ApiTokenRole" => reply.assert_is_refusal(false),
        _ => reply.assert_is_problem(),
    }
}

/// Returns what has to be the same whatever happened on the way; fails if a promise is broken.
async fn look(world: &World) -> Seen {
    let items = world.items();
    let report = fsck(&items, &world.direct.objects, false).await.unwrap();
    let broken: Vec<_> =
        report.findings.iter().filter(|finding| finding.severity == Severity::Broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
    items.0.iter().filter_map(lasting).collect()
}

fn lasting(item: &Item) -> Option<String> {
    match item.record {
        // What was tried, and how often; and what the collector looks at.
        Record::Audit(_) | Record::Bucket(_) | Record::Used(_) | Record::Event(_) => return None,
        Record::History(_) | Record::Upload(_) | Record::OpenUpload | Record::Suspect(_) => return None,
        _ => {}
    }
    let mut record = serde_json::to_value(&item.record).unwrap();
    without_chance(&mut record);
    // Credentials and trusts have ids that are drawn.
    let named = |part: &str| match part.split_once('#') {
        Some((kind @ ("K" | "I"), _)) => format!("{kind}#"),
        _ => part.to_owned(),
    };
    let sk = if item.key.pk.starts_with("I#") { String::new() } else { named(&item.key.sk) };
    Some(format!("{} {sk}: {record}", named(&item.key.pk)))
}

/// Takes away times and what is drawn.
fn without_chance(value: &mut Value) {
    match value {
        Value::Number(number) if number.as_u64().is_some_and(|number| number > 1_000_000_000_000) => {
            *value = json!("a time");
        }
        Value::Object(fields) => {
            fields.retain(|name, _| !["sha256", "password", "last_used", "object"].contains(&name.as_str()));
            fields.values_mut().for_each(without_chance);
        }
        Value::Array(values) => values.iter_mut().for_each(without_chance),
        _ => {}
    }
}

/// Returns what to say of the case if it failed.
async fn run(cell: Cell, cloud: &Arc<Cloud>, scene: &Arc<Scene>) -> Option<String> {
    let (cloud, scene, case) = (Arc::clone(cloud), Arc::clone(scene), cell.clone());
    let case = tokio::spawn(async move { faulty(&cloud, &scene, &case).await });
    case.await.err().map(|panic| {
        let panic = panic.into_panic();
        let why = panic.downcast_ref::<String>().map_or("see the panic above", String::as_str);
        format!(
            "{} {}, {:?}, {}: {why}",
            cell.request.method, cell.request.target, cell.plan, cell.call.operation
        )
    })
}
