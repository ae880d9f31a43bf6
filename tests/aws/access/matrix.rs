//! Every action × role × repository × reference, asked of the functions.

use test_support::access::{Cast, OPERATOR, PASSWORD, all_cells, basic, run};

use crate::client::get;
use crate::cloud::Cloud;

#[tokio::test(flavor = "multi_thread")]
async fn everybody_gets_what_the_table_says_and_refusals_change_nothing() {
    let cloud = Cloud::start().await;
    let instances = cloud.instances().await;
    // The first password is in the secret, and the first login makes the account that it is of.
    let first = basic(OPERATOR, PASSWORD);
    assert_eq!(get(&instances, "/v2/", Some(&first)).await.status(), 401);
    assert_eq!(get(&instances, "/token", Some(&first)).await.status(), 200);
    assert_eq!(get(&instances, "/v2/", Some(&first)).await.status(), 200);
    let cast = Cast::make(&instances.access, &instances).await;
    let cells = all_cells();
    run(&instances, &cast, &cells).await.assert_right(cells.len());
}
