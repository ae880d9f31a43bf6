//! Faults at random.

use dynamodb_standin::Fault;

use crate::world::{TABLE, World, key};

const FAULTS: [Fault; 4] =
    [Fault::Throttled, Fault::Unavailable, Fault::TransactionConflict, Fault::Unprocessed(1)];

async fn outcomes(seed: u64, probability: f64) -> Vec<Option<Fault>> {
    let world = World::new().await;
    world.standin.faults().at_random(seed, probability, &FAULTS);
    let mut outcomes = Vec::new();
    for number in 0..50 {
        let injected_before = world.standin.faults().injected().len();
        let put = world.client.put_item().table_name(TABLE).set_item(Some(key("a", &number.to_string())));
        let is_refused = put.send().await.is_err();
        let injected = world.standin.faults().injected();
        let fault = injected.get(injected_before).map(|(_, fault)| *fault);
        assert_eq!(is_refused, fault.is_some());
        outcomes.push(fault);
    }
    outcomes
}

#[tokio::test]
async fn one_seed_gives_one_course_and_another_seed_another() {
    let first = outcomes(1, 0.5).await;
    assert_eq!(first, outcomes(1, 0.5).await);
    assert_ne!(first, outcomes(2, 0.5).await);
}

#[tokio::test]
async fn only_faults_that_fit_happen_and_all_of_them_do() {
    let outcomes = outcomes(1, 0.5).await;
    for fault in FAULTS {
        assert_eq!(outcomes.contains(&Some(fault)), fault.fits("PutItem"), "{fault:?}");
    }
    assert!(outcomes.contains(&None));
}

#[tokio::test]
async fn a_probability_of_nothing_or_one_is_what_it_says() {
    assert!(outcomes(1, 0.0).await.iter().all(Option::is_none));
    assert!(outcomes(1, 1.0).await.iter().all(Option::is_some));
}

#[tokio::test]
async fn cleared_faults_do_not_happen() {
    let world = World::new().await;
    world.standin.faults().at_random(1, 1.0, &FAULTS);
    world.standin.faults().plan("PutItem", 1, Fault::Throttled);
    world.standin.faults().clear();
    world.put(key("a", "1")).await;
}
