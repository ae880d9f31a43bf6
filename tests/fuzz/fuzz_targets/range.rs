//! A part lies within the blob, and asking for exactly that part gives it again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{RangeHeader, RangeOutcome};

fuzz_target!(|input: (u64, &str)| {
    let (size, value) = input;
    match RangeHeader::parse(value, size) {
        RangeOutcome::Part(part) => {
            assert!(part.start < part.end_exclusive && part.end_exclusive <= size, "{part:?} of {size}");
            assert_eq!(part.len(), part.end_exclusive - part.start);
            let exactly = format!("bytes={}-{}", part.start, part.end_exclusive - 1);
            assert_eq!(RangeHeader::parse(&exactly, size), RangeOutcome::Part(part));
        }
        RangeOutcome::Whole => {}
        // What is out of reach of a blob is out of reach of an empty one.
        RangeOutcome::Unsatisfiable => {
            assert_eq!(RangeHeader::parse(value, 0), RangeOutcome::Unsatisfiable, "{value:?}");
        }
    }
});
