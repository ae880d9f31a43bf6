//! Items that were stored by any version can be read by this one: `formats/v1` holds one of each kind.
//!
//! A new kind or field gets a new file: `SLIPWAY_WRITE_FORMATS=1 cargo test -p embedded formats` writes those
//! that are missing. A file that is there is never written again.

use std::path::PathBuf;

use bytes::Bytes;
use oci::{Algorithm, Descriptor, Digest, MediaType, RepositoryName, Tag};
use registry::ports::{AppendState, ObjectKey, Timestamp, Version};
use registry::records::{
    self, BlobRecord, BlobState, EdgeRecord, EventAction, EventRecord, HistoryRecord, Lane, LinkOrigin,
    LinkRecord, LinkState, ManifestBody, ManifestRecord, ManifestState, Record, ReferrerRecord,
    RepositoryRecord, SuspectRecord, TagRecord, UploadRecord, UploadState, Visibility,
};

pub(crate) const TIME: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn digest(text: &str) -> Digest {
    Digest::of(Algorithm::Sha256, text.as_bytes())
}

fn repository() -> RepositoryName {
    "team/app".parse().unwrap()
}

fn object() -> ObjectKey {
    ObjectKey::stored("data/2a/01HZZZZZZZZZZZZZZZZZZZZZZZ")
}

fn tag() -> TagRecord {
    TagRecord {
        digest: digest("manifest"),
        media_type: MediaType::OCI_MANIFEST,
        size_bytes: 8,
        pushed: TIME,
        pushed_by: "anonymous".to_owned(),
    }
}

fn manifest(state: ManifestState, body: ManifestBody) -> Record {
    Record::Manifest(ManifestRecord {
        deleted_by: None,
        state,
        media_type: MediaType::OCI_MANIFEST,
        size_bytes: 8,
        body,
        subject: Some(digest("subject")),
        artifact_type: Some("application/vnd.example".to_owned()),
        pushed: TIME,
        pushed_by: "anonymous".to_owned(),
    })
}

fn link(state: LinkState, origin: LinkOrigin) -> Record {
    Record::Link(LinkRecord { state, object: object(), size_bytes: 9, lease_until: TIME, origin })
}

fn blob(state: BlobState) -> Record {
    Record::Blob(BlobRecord { state, object: object(), size_bytes: 9 })
}

fn upload(state: UploadState) -> Record {
    Record::Upload(UploadRecord {
        state,
        repository: repository(),
        principal: "anonymous".to_owned(),
        object: object(),
        append: AppendState { size_bytes: 5, store: "opaque".to_owned() },
        algorithm: Algorithm::Sha512,
        hash_state: vec![0, 1, 255],
        lane: Lane::Stream,
        started: TIME,
        expires: TIME,
    })
}

fn event(action: EventAction) -> Record {
    let tags: Vec<Tag> = vec!["latest".parse().unwrap()];
    Record::Event(EventRecord {
        action,
        repository: repository(),
        digest: digest("manifest"),
        tags,
        at: TIME,
        by: "anonymous".to_owned(),
    })
}

/// One of each kind, in each of its states.
fn samples() -> Vec<(&'static str, Record)> {
    let bytes = ManifestBody::Inline(Bytes::from_static(b"manifest"));
    let mut descriptor = Descriptor::new(MediaType::OCI_MANIFEST, digest("manifest"), 8);
    descriptor.artifact_type = Some("application/vnd.example".to_owned());
    descriptor.annotations.insert("key".to_owned(), "value".to_owned());
    let history =
        HistoryRecord { before: tag(), after: Some(digest("next")), at: TIME, by: "anonymous".to_owned() };
    let deleted = HistoryRecord { after: None, ..history.clone() };
    let mut doomed = manifest(ManifestState::Doomed, ManifestBody::Object(object()));
    if let Record::Manifest(record) = &mut doomed {
        record.deleted_by = Some("somebody".to_owned());
    }
    let (repository_name, blob_digest) = (repository(), digest("blob"));
    vec![
        ("repository", Record::Repository(RepositoryRecord::new(TIME, Visibility::Public))),
        ("catalog", Record::Catalog),
        ("tag", Record::Tag(tag())),
        ("history_moved", Record::History(history)),
        ("history_deleted", Record::History(deleted)),
        ("manifest_pending", manifest(ManifestState::Pending, bytes.clone())),
        ("manifest_live", manifest(ManifestState::Live, bytes)),
        ("manifest_deleting", manifest(ManifestState::Deleting, ManifestBody::Object(object()))),
        ("edge", Record::Edge(EdgeRecord { since: TIME, by: "anonymous".to_owned(), left: None })),
        ("edge_left", Record::Edge(EdgeRecord { since: TIME, by: "anonymous".to_owned(), left: Some(TIME) })),
        ("link_pending", link(LinkState::Pending, LinkOrigin::Mounted(repository()))),
        ("link_live", link(LinkState::Live, LinkOrigin::Uploaded)),
        ("link_dying", link(LinkState::Dying, LinkOrigin::Uploaded)),
        ("blob_live", blob(BlobState::Live)),
        ("blob_dying", blob(BlobState::Dying)),
        ("blob_dead", blob(BlobState::Dead)),
        ("blob_edge", Record::BlobEdge),
        ("referrer", Record::Referrer(ReferrerRecord { descriptor })),
        ("upload_open", upload(UploadState::Open)),
        ("upload_committed", upload(UploadState::Committed(digest("blob")))),
        ("upload_dead", upload(UploadState::Dead)),
        ("open_upload", Record::OpenUpload),
        (
            "suspect_manifest_object",
            Record::Suspect(SuspectRecord::ManifestObject {
                repository: repository_name.clone(),
                digest: blob_digest.clone(),
                object: object(),
            }),
        ),
        (
            "suspect_link",
            Record::Suspect(SuspectRecord::Link {
                repository: repository_name.clone(),
                digest: blob_digest.clone(),
            }),
        ),
        ("suspect_blob", Record::Suspect(SuspectRecord::Blob { digest: blob_digest.clone() })),
        (
            "suspect_manifest",
            Record::Suspect(SuspectRecord::Manifest {
                repository: repository_name.clone(),
                digest: blob_digest,
            }),
        ),
        ("suspect_repository", Record::Suspect(SuspectRecord::Repository { repository: repository_name })),
        ("manifest_dying", manifest(ManifestState::Dying, ManifestBody::Object(object()))),
        ("manifest_doomed", doomed),
        (
            "suspect_upload",
            Record::Suspect(SuspectRecord::Upload { id: "an-upload".to_owned(), object: object() }),
        ),
        (
            "suspect_adoption",
            Record::Suspect(SuspectRecord::Adoption { id: "an-upload".to_owned(), object: object() }),
        ),
        (
            "suspect_dead_object",
            Record::Suspect(SuspectRecord::DeadObject { digest: digest("blob"), object: object() }),
        ),
        ("event_pushed", event(EventAction::ManifestPushed)),
        ("event_deleted", event(EventAction::ManifestDeleted)),
        ("event_untagged", event(EventAction::TagDeleted)),
    ]
}

#[test]
fn every_kind_of_item_reads_as_version_1_wrote_it() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/formats/v1");
    let version = Version::new("01HZZZZZZZZZZZZZZZZZZZZZZZ");
    for (name, record) in samples().into_iter().chain(crate::formats_access::samples()) {
        let file = folder.join(format!("{name}.hex"));
        if !file.exists() && std::env::var_os("SLIPWAY_WRITE_FORMATS").is_some() {
            let bytes = records::encode(&version, &record).unwrap();
            std::fs::write(&file, hex::encode(bytes) + "\n").unwrap();
        }
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let bytes = hex::decode(text.trim()).unwrap();
        assert_eq!(records::decode(&bytes).unwrap(), (version.clone(), record), "{name}");
    }
}

#[test]
fn an_item_of_a_newer_format_is_refused() {
    let mut bytes = records::encode(&Version::new("1"), &Record::Catalog).unwrap();
    let at = bytes.iter().position(|byte| *byte == records::FORMAT).unwrap();
    bytes[at] = records::FORMAT + 1;
    assert!(matches!(records::decode(&bytes), Err(records::CodecError::Newer(2))));
}
