//! The texts that a schema restricts, for the OpenAPI document. The registry's own types do the restricting.

use utoipa::openapi::schema::{KnownFormat, Schema, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// One component of a repository's name, of two characters at least.
const NAME: &str = "^[a-z0-9]+((\\.|_|-+)[a-z0-9]+)*$";

const REPOSITORY: &str = "^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$";

const GRANTEE: &str = "^(user|team):[a-z0-9]+((\\.|_|-+)[a-z0-9]+)*$";

/// A host and port, and a path of what may stand in an address.
const ISSUER: &str = concat!(
    r"^(https://([a-zA-Z0-9._~-]+|\[[0-9a-fA-F:.]+\])|http://(127\.0\.0\.1|localhost|\[::1\]))",
    r##"(:[0-9]{1,5})?(/[!"$-;=A-_a-~]*)?$"##,
);

/// Defines types that only stand for a schema, and have no values.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident = $schema:expr;)*) => {
        $(
            $(#[$doc])*
            pub(crate) enum $name {}

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    RefOr::T(Schema::Object($schema.schema_type(Type::String).build()))
                }
            }

            impl ToSchema for $name {}
        )*
    };
}

words! {
    /// The name of an account, a team or a robot.
    Name = text(NAME, 2, 64);
    /// The name of a repository.
    RepositoryName = text(REPOSITORY, 1, 255);
    /// `user:<name>` or `team:<name>`.
    Grantee = text(GRANTEE, 7, 69);
    /// A tag.
    Tag = text("^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$", 1, 128);
    /// The digest of a manifest.
    Digest = ObjectBuilder::new().pattern(Some("^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$"));
    /// A pattern of tags: `*` stands for any characters, `?` for one.
    TagPattern = text("^[a-zA-Z0-9_*?][a-zA-Z0-9._*?-]{0,127}$", 1, 128);
    /// A plain `https://` address, or an `http://` one of the very machine that the registry runs on.
    Issuer = text(ISSUER, 9, 512);
    /// The id of a token or a trust.
    Id = text("^[0-9a-zA-Z.]+$", 1, 100);
    /// One line.
    Description = text("^[^\\u0000-\\u001f\\u007f-\\u009f]*$", 0, 200);
    /// What a token is for, in one line.
    Label = text("^[^\\u0000-\\u001f\\u007f-\\u009f]*$", 0, 100);
    /// Who may pull.
    Visibility = one_of(&["public", "private"]);
    /// What somebody is in a repository.
    Role = one_of(&["pull", "push", "admin"]);
    /// What may be done in a repository.
    Permission = one_of(&["pull", "push", "delete"]);
    /// Whether a token can be used: `disabled` if its account is, `revoked` if what the login was made with was, or the
    /// password was changed.
    TokenState = one_of(&["good", "expired", "revoked", "disabled"]);
    /// What a member is in an organisation.
    OrganisationRole = one_of(&["member", "owner"]);
    /// Whether something was done; `begun` if it takes a while, and another entry says when it was.
    Outcome = one_of(&["done", "refused", "begun"]);
    /// A password; it is never shown.
    Password = ObjectBuilder::new()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
        .write_only(true)
        .min_length(Some(8))
        .max_length(Some(512));
    /// A time (RFC 3339).
    Time = ObjectBuilder::new().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)));
}

fn text(pattern: &str, min_chars: usize, max_chars: usize) -> ObjectBuilder {
    ObjectBuilder::new().pattern(Some(pattern)).min_length(Some(min_chars)).max_length(Some(max_chars))
}

fn one_of(words: &[&str]) -> ObjectBuilder {
    ObjectBuilder::new().enum_values(Some(words.iter().copied()))
}
