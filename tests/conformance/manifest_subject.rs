//! Pushing manifests with a subject (end-7a).

use test_support::content::sha512;

use crate::client::Repository;
use crate::content::{INDEX, index_of};

cases! { "Pushing Manifests with Subject":
    Must image_with_a_subject_is_answered_with_oci_subject,
    Must oci_subject_is_sent_for_a_missing_subject,
    Must repeated_push_is_answered_with_oci_subject,
    Slipway index_with_a_subject_is_answered_with_oci_subject,
    Slipway sha512_subject_is_answered_with_oci_subject,
    Slipway manifest_without_a_subject_has_no_oci_subject,
    Slipway referrers_tag_is_a_tag_like_any_other,
}

const TYPE: &str = "application/vnd.example.signature.v1";

/// Pushing manifests with subject, end-7a: a registry with the referrers API "MUST respond with the response
/// header `OCI-Subject: <subject digest>`".
fn image_with_a_subject_is_answered_with_oci_subject(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let artifact = repository.draft_artifact(TYPE).subject(&subject).build();
    repository.put_by_digest(&artifact).expect(201).expect_header("OCI-Subject", &subject.digest);
    repository.put_manifest("signature", &artifact).expect(201).expect_header("OCI-Subject", &subject.digest);
}

/// Push, end-7a: clients "push a manifest and referrers to that manifest in either order".
fn oci_subject_is_sent_for_a_missing_subject(repository: &Repository<'_>) {
    let subject = repository.draft_image().build();
    let artifact = repository.draft_artifact(TYPE).subject(&subject).build();
    repository.put_by_digest(&artifact).expect(201).expect_header("OCI-Subject", &subject.digest);
}

/// Pushing manifests with subject, end-7a: a client that repeats a push must not fall back to the referrers
/// tag.
fn repeated_push_is_answered_with_oci_subject(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let artifact = repository.draft_artifact(TYPE).subject(&subject).build();
    for _ in 0..2 {
        repository.put_by_digest(&artifact).expect(201).expect_header("OCI-Subject", &subject.digest);
    }
}

/// Listing referrers, end-7a: referrers are image manifests "or indexes", so an index is answered alike.
fn index_with_a_subject_is_answered_with_oci_subject(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let index = index_of(&[]).subject(&subject).build();
    repository.put_by_digest(&index).expect(201).expect_header("OCI-Subject", &subject.digest);
}

/// Pushing manifests with subject, end-7a: the header has the digest that the manifest has.
fn sha512_subject_is_answered_with_oci_subject(repository: &Repository<'_>) {
    let subject = repository.draft_image().build();
    let mut artifact = repository.draft_artifact(TYPE).subject(&subject);
    artifact.0["subject"]["digest"] = sha512(&subject.bytes).into();
    let reply = repository.put_by_digest(&artifact.build()).expect(201);
    reply.expect_header("OCI-Subject", &sha512(&subject.bytes));
}

/// Pushing manifests with subject, end-7a: the header says that there was a subject to process.
fn manifest_without_a_subject_has_no_oci_subject(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.put_by_digest(&image).expect(201).expect_no_header("OCI-Subject");
}

/// Referrers tag schema, end-7a: "Maintaining the content of this tag is the responsibility of clients", so
/// the registry keeps what an older client pushes there.
fn referrers_tag_is_a_tag_like_any_other(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let artifact = repository.push(repository.draft_artifact(TYPE).subject(&subject).build());
    let list = index_of(&[&artifact]).build();
    let tag = subject.digest.replace(':', "-");
    repository.put_manifest(&tag, &list).expect(201);
    repository.pull_manifest(&tag).expect(200).expect_body(&list.bytes).expect_header("Content-Type", INDEX);
    let listed = repository.get(&format!("referrers/{}", subject.digest)).expect(200).json();
    assert_eq!(listed["manifests"].as_array().unwrap().len(), 1);
}
