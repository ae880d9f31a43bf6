//! The adapters on engines that others wrote. What an engine gets wrong is a row here; a row that is not true any more
//! fails, too.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;

use crate::engine::Engine;
use crate::{copies, lanes};

/// An engine, a case that fails on it, and what it gets wrong.
const WRONG: &[(&str, &str, &str)] = &[
    ("ministack", "a_finished_upload_takes_no_more_bytes", "a copy heeds no If-None-Match, and overwrites"),
    ("ministack", "copies_over_nothing", "the same"),
    ("moto", "a_finished_upload_takes_no_more_bytes", "a copy heeds no If-None-Match, and overwrites"),
    ("moto", "copies_over_nothing", "the same"),
    ("moto", "binds_a_query_to_its_upload", "signatures are not checked"),
    ("moto", "serves_a_signed_download", "signatures are not checked"),
    ("moto", "tells_a_length_by_a_signed_head", "signatures are not checked"),
];

/// A case and the future that tests it.
type Case<'e> = (&'static str, Pin<Box<dyn Future<Output = ()> + 'e>>);

/// What every store of items has to pass.
fn of_items(engine: &Engine) -> Vec<Case<'_>> {
    let cases = registry::item_store_contract!(contract_cases, {
        let stores = engine.stores().await;
        (Arc::clone(&stores.items), stores)
    });
    cases.into()
}

/// What every store of objects has to pass.
fn of_objects(engine: &Engine) -> Vec<Case<'_>> {
    let cases = registry::object_store_contract!(contract_cases, {
        let stores = engine.stores().await;
        (Arc::clone(&stores.objects), stores)
    });
    let shared = registry::shared_object_store_contract!(contract_cases, {
        let stores = engine.stores().await;
        (Arc::clone(&stores.objects), stores)
    });
    cases.into_iter().chain(shared).collect()
}

macro_rules! cases {
    ($engine:expr, [$($module:ident::$name:ident),* $(,)?]) => {
        vec![$((stringify!($name), Box::pin(async { $module::$name(&$engine.stores().await).await }) as _)),*]
    };
}

/// What is asked of a store whose clients send their bytes to it.
fn direct(engine: &Engine) -> Vec<Case<'_>> {
    cases!(
        engine,
        [
            copies::knows_a_copy,
            copies::knows_what_has_not_come,
            copies::copies_over_nothing,
            copies::lists_uploads,
            copies::binds_a_query_to_its_upload,
            copies::serves_a_signed_download,
            copies::tells_a_length_by_a_signed_head,
            lanes::pushes_direct,
        ]
    )
}

/// Runs the cases. Fails unless those fail that have a row, and no others.
async fn assert_as_known<'e>(name: &str, cases: impl IntoIterator<Item = Case<'e>>) {
    let (mut run, mut failed) = (BTreeSet::new(), BTreeSet::new());
    for (case, test) in cases {
        run.insert(case);
        if AssertUnwindSafe(test).catch_unwind().await.is_err() {
            failed.insert(case);
        }
    }
    let rows = WRONG.iter().filter(|(engine, ..)| *engine == name);
    let known: BTreeSet<&str> = rows.map(|(_, case, _)| *case).collect();
    assert_eq!(failed, known, "what fails on {name}, and what is known to; these were run: {run:?}");
}

/// Returns how many objects are read to know the copy of an upload.
async fn reads_of_a_copy(engine: &Engine) -> usize {
    let (stores, before) = (engine.stores().await, engine.reads());
    copies::knows_a_copy(&stores).await;
    engine.reads() - before
}

#[tokio::test(flavor = "multi_thread")]
async fn ministack_is_a_table_and_a_bucket() {
    let Some(engine) = Engine::start("aws/engines", "ministack") else { return };
    let cases = [of_items(&engine), of_objects(&engine), direct(&engine)];
    assert_as_known("ministack", cases.into_iter().flatten()).await;
    assert_eq!(
        reads_of_a_copy(&engine).await,
        1,
        "it knows no SHA-256 of a copy, so that the bytes are hashed"
    );
}

/// Its table is not tried: of transactions that race it loses some.
#[tokio::test(flavor = "multi_thread")]
async fn moto_is_a_bucket() {
    let Some(engine) = Engine::start("aws/engines", "moto") else { return };
    assert_as_known("moto", of_objects(&engine).into_iter().chain(direct(&engine))).await;
    assert_eq!(reads_of_a_copy(&engine).await, 0, "it knows the SHA-256 of a copy");
}
