//! What clients were told holds, whatever the seed.

use simulation::{run, search};

#[test]
fn no_seed_breaks_a_promise() {
    assert!(search(0..10_000), "the output has the commands that replay the seeds");
}

/// Beyond those that every run takes: each found something, with the clients that there were then.
#[test]
fn seeds_that_found_something_find_nothing_any_more() {
    for seed in [4_601, 14_435, 15_754, 53_096, 441_001, 471_339, 491_263, 704_123, 784_616] {
        assert_eq!(run(seed, false).violations, Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 0..20 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
}
