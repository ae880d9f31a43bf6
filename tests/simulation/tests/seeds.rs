//! What clients were told holds, whatever the seed.

use simulation::{run, search};

#[test]
fn no_seed_breaks_a_promise() {
    assert!(search(0..10_000), "the output has the commands that replay the seeds");
}

#[test]
fn a_seed_is_the_same_run_every_time() {
    for seed in 0..20 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
}
