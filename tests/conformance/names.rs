//! What a repository name and a tag may look like (end-3, end-4a, end-7a).

use crate::client::Repository;

cases! { "Pulling manifests":
    Must name_of_every_allowed_form_is_accepted,
    Must name_that_ends_like_an_endpoint_is_accepted,
    Must name_outside_the_grammar_is_refused,
    Slipway name_outside_the_grammar_is_name_invalid,
    Slipway name_of_229_characters_is_accepted,
    Slipway name_over_255_characters_is_refused,
    Must tag_of_128_characters_is_accepted,
    Must tag_of_every_allowed_character_is_accepted,
    Must tag_outside_the_grammar_is_refused,
}

/// Ways to break `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` that still make a path.
const BAD_COMPONENTS: &[&str] =
    &["Upper", "a..b", "a___b", "a._b", "-a", "a-", "_a", "a_", "a.", "a+b", "a:b", "%C3%A9"];

/// Pulling manifests, end-3: "`<name>` MUST match the following regular expression", so each such name is a
/// name.
fn name_of_every_allowed_form_is_accepted(repository: &Repository<'_>) {
    for suffix in ["/a", "/0", "/a.b", "/a_b", "/a__b", "/a-b", "/a----b", "/a.b_c__d-e9", "/1/2/3/4/5/6"] {
        let named = repository.sibling(suffix);
        let image = named.push_image("latest");
        named.pull_manifest("latest").expect(200).expect_body(&image.bytes);
    }
}

/// Pulling manifests, end-3: names that end in the words of an endpoint match the expression too.
fn name_that_ends_like_an_endpoint_is_accepted(repository: &Repository<'_>) {
    for suffix in
        ["/blobs", "/blobs/uploads", "/manifests", "/manifests/latest", "/tags", "/tags/list", "/referrers"]
    {
        let named = repository.sibling(suffix);
        let image = named.push_image("latest");
        named.pull_manifest("latest").expect(200).expect_body(&image.bytes);
        let listed = named.get("tags/list").expect(200).json();
        assert_eq!(listed["name"], named.name.as_str());
    }
}

/// Pulling manifests, end-3: "`<name>` MUST match the following regular expression", so nothing else is a
/// name.
fn name_outside_the_grammar_is_refused(repository: &Repository<'_>) {
    for component in BAD_COMPONENTS {
        let misnamed = repository.sibling(&format!("/{component}"));
        misnamed.post("blobs/uploads/").send().expect_one_of(&[400, 404]);
        misnamed.pull_manifest("latest").expect_one_of(&[400, 404]);
    }
}

/// Error codes, code-8: `NAME_INVALID` is "invalid repository name", and the name is what is wrong.
fn name_outside_the_grammar_is_name_invalid(repository: &Repository<'_>) {
    for component in BAD_COMPONENTS {
        let misnamed = repository.sibling(&format!("/{component}"));
        misnamed.post("blobs/uploads/").expect_error(400, "NAME_INVALID");
        misnamed.get("tags/list").expect_error(400, "NAME_INVALID");
    }
}

/// Pulling manifests, implementers note: clients stop at 255 characters with the registry's host before the
/// name.
fn name_of_229_characters_is_accepted(repository: &Repository<'_>) {
    let named = repository.sibling(&format!("/{}", "a".repeat(228 - repository.name.len())));
    assert_eq!(named.name.len(), 229);
    let image = named.push_image("latest");
    named.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}

/// Pulling manifests, implementers note: a longer name "would cause this limit to be exceeded" with any host.
fn name_over_255_characters_is_refused(repository: &Repository<'_>) {
    let misnamed = repository.sibling(&format!("/{}", "a".repeat(255 - repository.name.len())));
    assert_eq!(misnamed.name.len(), 256);
    misnamed.post("blobs/uploads/").expect_error(400, "NAME_INVALID");
}

/// Pulling manifests, end-3: a tag "MUST be at most 128 characters in length", so 128 are a tag.
fn tag_of_128_characters_is_accepted(repository: &Repository<'_>) {
    let tag = "t".repeat(128);
    let image = repository.push_image(&tag);
    repository.pull_manifest(&tag).expect(200).expect_body(&image.bytes);
}

/// Pulling manifests, end-3: a tag "MUST match" `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`, so each such text is a
/// tag.
fn tag_of_every_allowed_character_is_accepted(repository: &Repository<'_>) {
    let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for tag in [alphabet, "_", "0", "A", "a..b", "list", "_.-", "sha256-0123"] {
        let image = repository.push_image(tag);
        repository.pull_manifest(tag).expect(200).expect_body(&image.bytes);
    }
}

/// Pulling manifests, end-3: "The `<tag-or-digest>` MUST NOT be in any other format."
fn tag_outside_the_grammar_is_refused(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let too_long = "t".repeat(129);
    for reference in
        ["-a", ".a", "a+b", "a%20b", "@", "a@b", "sha256:", "sha256:0123", "%C3%A9", too_long.as_str()]
    {
        repository.put_manifest(reference, &image).expect_one_of(&[400, 404]);
        repository.pull_manifest(reference).expect_one_of(&[400, 404]);
    }
}
