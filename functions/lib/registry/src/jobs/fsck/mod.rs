//! Checks every promise that can be checked from storage alone. Nothing may write meanwhile.

pub(in crate::jobs) mod checks;
pub(in crate::jobs) mod shelf;

use std::collections::BTreeMap;

use oci::Digest;
use serde::Serialize;

use crate::Error;
use crate::ports::{ItemScan, ObjectScan, ObjectStore};
use shelf::Shelf;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A promise is broken.
    Broken,
    /// Something that nobody needs; the collector's business.
    Garbage,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where.
    pub what: String,
    /// What is wrong with it.
    pub problem: String,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
    /// How many items of each kind there are.
    pub counts: BTreeMap<&'static str, u64>,
    /// How many objects there are.
    pub objects: u64,
    /// How many bytes they have.
    pub object_bytes: u64,
    /// How many objects were read and hashed.
    pub hashed_objects: u64,
}

impl Report {
    /// Returns whether a promise is broken.
    pub fn is_broken(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Broken)
    }

    fn broken(&mut self, what: impl Into<String>, problem: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Broken,
            what: what.into(),
            problem: problem.into(),
        });
    }

    fn garbage(&mut self, what: impl Into<String>, problem: impl Into<String>) {
        self.findings.push(Finding {
            severity: Severity::Garbage,
            what: what.into(),
            problem: problem.into(),
        });
    }
}

/// Checks everything; `deep` also reads and hashes every blob.
pub async fn fsck<O: ObjectStore + ObjectScan>(
    items: &impl ItemScan,
    objects: &O,
    is_deep: bool,
) -> Result<Report, Error> {
    let mut report = Report::default();
    let shelf = Shelf::read(items, objects, &mut report).await?;
    checks::blobs(&shelf, &mut report);
    checks::links(&shelf, &mut report);
    checks::manifests(&shelf, objects, &mut report).await?;
    checks::tags(&shelf, &mut report);
    checks::edges(&shelf, &mut report);
    checks::referrers(&shelf, &mut report);
    checks::uploads(&shelf, &mut report);
    checks::orphans(&shelf, &mut report);
    if is_deep {
        hash_blobs(&shelf, objects, &mut report).await?;
    }
    report.findings.sort_by(|left, right| (left.severity, &left.what).cmp(&(right.severity, &right.what)));
    Ok(report)
}

/// Reads every blob and compares its digest (P5).
async fn hash_blobs(shelf: &Shelf, objects: &impl ObjectStore, report: &mut Report) -> Result<(), Error> {
    for (digest, blob) in &shelf.blobs {
        let Some(info) = shelf.objects.get(&blob.object).filter(|info| !info.is_unfinished) else { continue };
        report.hashed_objects += 1;
        match shelf::read_digest(objects, &blob.object, info.size_bytes, digest.algorithm()).await {
            Ok(actual) if actual == *digest => {}
            Ok(actual) => report.broken(blob_name(digest), format!("its bytes have digest {actual}")),
            Err(error) => report.broken(blob_name(digest), format!("its bytes cannot be read: {error}")),
        }
    }
    Ok(())
}

fn blob_name(digest: &Digest) -> String {
    format!("blob {digest}")
}
