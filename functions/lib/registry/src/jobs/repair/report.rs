//! What a repair has done, and what it could not do.

use serde::Serialize;

/// Something that was put right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mend {
    /// What.
    pub what: String,
    /// What was wrong with it.
    pub problem: String,
    /// What becomes of it: a rehearsal says the same.
    pub done: &'static str,
}

/// Something that storage alone cannot bring back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
    /// What somebody can do.
    pub advice: String,
}

/// What a repair has done, and what it could not do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether it only found out what would be done.
    pub is_rehearsal: bool,
    /// What was put right.
    pub mends: Vec<Mend>,
    /// What could not be.
    pub losses: Vec<Loss>,
    /// How many objects were read.
    pub hashed_objects: u64,
    /// How many bytes they had.
    pub hashed_bytes: u64,
}
