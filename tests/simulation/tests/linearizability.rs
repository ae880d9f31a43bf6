//! What clients see of tags can be put into one order (P8).

use std::sync::atomic::{AtomicUsize, Ordering};

use simulation::{each, history, is_linearizable};

const HISTORIES: u64 = 1_000;
const CLIENTS: usize = 8;
const DEEDS: usize = 200;

#[test]
fn moves_reads_and_deletions_of_tags_are_linearizable() {
    let events = AtomicUsize::new(0);
    each(0..HISTORIES, |seed| {
        let history = history(seed, CLIENTS, DEEDS, false);
        assert_eq!(history.violations, Vec::<String>::new(), "history {seed}");
        for (tag, clients) in history.tags.iter().enumerate() {
            assert!(is_linearizable(clients), "history {seed}, tag {tag}: {clients:#?}");
        }
        events.fetch_add(history.events(), Ordering::SeqCst);
    });
    let events = events.into_inner();
    println!("{HISTORIES} histories of {CLIENTS} clients, {events} events");
    let asked = usize::try_from(HISTORIES).unwrap() * CLIENTS * DEEDS;
    assert!(events > asked / 10 * 9, "too much was refused: {events} of {asked}");
}

#[test]
fn a_read_of_the_past_is_noticed() {
    let is_noticed = |seed| !history(seed, CLIENTS, DEEDS, true).tags.iter().all(|tag| is_linearizable(tag));
    assert!((0..10).all(is_noticed));
}
