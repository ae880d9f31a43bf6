//! Who may do what: the whole matrix, hostile credentials, throttling, and how soon a change takes effect.

mod answers;
mod audit_list;
mod beginnings;
mod bounds;
mod calls;
mod canary;
mod catalog;
mod endings;
mod flood;
mod forged;
mod forger;
mod forgeries;
mod hostile;
mod house;
mod kept;
mod logins;
mod matrix;
mod meanwhile;
mod ownership;
mod places;
mod refusals;
mod remains;
mod removals;
mod repositories;
mod throttling;
mod times;
mod tokens;
mod traces;
mod under_deletion;

/// Returns a client of a registry with accounts; it shows nothing.
pub(crate) async fn guarded_client() -> crate::client::Client {
    house::House::new().await.client()
}

/// Returns clients of two robots that may push to `team/app`, and of one process.
pub(crate) async fn two_pushers() -> [crate::client::Client; 2] {
    let house = house::House::new().await;
    [house.pusher("one").await, house.pusher("two").await]
}
