//! A hasher put down anywhere goes on as if it had not been; a state that no hasher left is refused or harmless.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oci::{Algorithm, Digest, Hasher};

fuzz_target!(|input: (u16, &[u8])| {
    let (split, bytes) = input;
    let (before, after) = bytes.split_at(usize::from(split) % (bytes.len() + 1));
    for algorithm in Algorithm::ALL {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(before);
        let mut resumed = Hasher::resume(algorithm, &hasher.state()).unwrap();
        assert_eq!(resumed.state(), hasher.state());
        resumed.update(after);
        assert_eq!(resumed.finish(), Digest::of(algorithm, bytes));
        resume_from_anything(algorithm, before, after);
    }
});

fn resume_from_anything(algorithm: Algorithm, state: &[u8], bytes: &[u8]) {
    if let Ok(mut hasher) = Hasher::resume(algorithm, state) {
        assert_eq!(hasher.state().len(), state.len());
        hasher.update(bytes);
        assert_eq!(hasher.finish().algorithm(), algorithm);
    }
}
