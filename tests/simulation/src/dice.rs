//! What the seed decides.

use registry::ports::Random;
use registry::testing::SeededRandom;

/// Numbers that are the same for the same seed.
pub(crate) struct Dice(SeededRandom);

impl Dice {
    /// Returns the numbers of this seed; each `salt` has a series of its own.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self(SeededRandom::new(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt.wrapping_mul(0xD1B5_4A32_D192_ED03),
        ))
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&self, end: usize) -> usize {
        usize::try_from(self.0.bits() % (end.max(1) as u128)).unwrap_or(0)
    }

    /// Returns true once in so many times; never for 0.
    pub(crate) fn one_in(&self, times: usize) -> bool {
        times > 0 && self.below(times) == 0
    }

    /// Returns one of these.
    pub(crate) fn pick<'a, T>(&self, among: &'a [T]) -> &'a T {
        &among[self.below(among.len())]
    }
}
