//! Hashing on the way, in steps that may be days and processes apart.

use std::fmt;

use sha2::{
    Digest as _, Sha256, Sha512,
    digest::common::hazmat::{SerializableState, SerializedState},
};

use super::{Algorithm, Digest};

/// Computes the digest of contents that arrive in pieces.
#[derive(Clone)]
pub struct Hasher(State);

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

/// The bytes are not what [`Hasher::state`] returned for this algorithm.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{len} bytes are not the state of a {algorithm} hasher")]
pub struct HashStateInvalid {
    /// The algorithm asked for.
    pub algorithm: Algorithm,
    /// How many bytes were given.
    pub len: usize,
}

impl Hasher {
    /// Returns a hasher that has seen nothing yet.
    pub fn new(algorithm: Algorithm) -> Self {
        Self(match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        })
    }

    /// Takes up the work of the hasher that returned `state`.
    pub fn resume(algorithm: Algorithm, state: &[u8]) -> Result<Self, HashStateInvalid> {
        let resumed = match algorithm {
            Algorithm::Sha256 => deserialize(state).map(State::Sha256),
            Algorithm::Sha512 => deserialize(state).map(State::Sha512),
        };
        resumed.map(Self).ok_or(HashStateInvalid { algorithm, len: state.len() })
    }

    /// Returns what [`Self::resume`] needs: 104 bytes for SHA-256, 208 for SHA-512; persisted: keep stable.
    pub fn state(&self) -> Vec<u8> {
        match &self.0 {
            State::Sha256(hasher) => hasher.serialize().to_vec(),
            State::Sha512(hasher) => hasher.serialize().to_vec(),
        }
    }

    /// Hashes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Sha256(hasher) => hasher.update(bytes),
            State::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// Returns the digest of all pieces together.
    pub fn finish(self) -> Digest {
        let algorithm = self.algorithm();
        match self.0 {
            State::Sha256(hasher) => Digest::from_hash(algorithm, &hasher.finalize()),
            State::Sha512(hasher) => Digest::from_hash(algorithm, &hasher.finalize()),
        }
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

fn deserialize<H: SerializableState>(state: &[u8]) -> Option<H> {
    let state = SerializedState::<H>::try_from(state).ok()?;
    H::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn in_two_processes(algorithm: Algorithm, bytes: &[u8], split: usize) -> Digest {
        let mut first = Hasher::new(algorithm);
        first.update(&bytes[..split]);
        let mut second = Hasher::resume(algorithm, &first.state()).unwrap();
        second.update(&bytes[split..]);
        second.finish()
    }

    #[test]
    fn resuming_at_every_byte_equals_one_go() {
        let bytes: Vec<u8> = (0..=255).cycle().take(517).collect();
        for algorithm in Algorithm::ALL {
            let in_one_go = Digest::of(algorithm, &bytes);
            for split in 0..=bytes.len() {
                assert_eq!(in_two_processes(algorithm, &bytes, split), in_one_go, "split at {split}");
            }
        }
    }

    #[test]
    fn state_keeps_its_stored_form() {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(b"slipway");
        let initial_values = "67e6096a85ae67bb72f36e3c3af54fa57f520e518c68059babd9831f19cde05b";
        let (blocks_hashed, buffered) =
            ("00".repeat(8), format!("07{}{}", hex::encode("slipway"), "00".repeat(56)));
        assert_eq!(hex::encode(hasher.state()), format!("{initial_values}{blocks_hashed}{buffered}"));
    }

    #[test]
    fn foreign_state_is_refused() {
        let sha256 = Hasher::new(Algorithm::Sha256).state();
        let sha512 = Hasher::new(Algorithm::Sha512).state();
        assert_eq!((sha256.len(), sha512.len()), (104, 208));
        assert!(Hasher::resume(Algorithm::Sha512, &sha256).is_err());
        assert!(Hasher::resume(Algorithm::Sha256, &sha512).is_err());
        assert!(Hasher::resume(Algorithm::Sha256, &[]).is_err());
        assert!(Hasher::resume(Algorithm::Sha256, &sha256[..103]).is_err());
        assert!(Hasher::resume(Algorithm::Sha256, &[0xff; 104]).is_err());
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_equal_one_go(pieces in proptest::collection::vec(any::<Vec<u8>>(), 0..8)) {
            for algorithm in Algorithm::ALL {
                let mut hasher = Hasher::new(algorithm);
                for piece in &pieces {
                    hasher.update(piece);
                    hasher = Hasher::resume(algorithm, &hasher.state()).unwrap();
                }
                prop_assert_eq!(hasher.finish(), Digest::of(algorithm, &pieces.concat()));
            }
        }
    }
}
