//! Every number that bounds what a client may send.

/// Longest repository name, in characters.
pub const NAME_MAX_CHARS: usize = 255;

/// Longest tag, in characters; the specification's own grammar.
pub const TAG_MAX_CHARS: usize = 128;

/// Longest media type, in characters: two names of 127 and a slash (RFC 6838, section 4.2).
pub const MEDIA_TYPE_MAX_CHARS: usize = 255;

/// Longest upload id, in characters.
pub const UPLOAD_ID_MAX_CHARS: usize = 64;

/// Largest manifest, in bytes; the specification asks for at least 4 megabytes.
pub const MANIFEST_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Deepest nesting of objects and arrays in a manifest.
pub const MANIFEST_MAX_DEPTH: usize = 64;

/// Most descriptors in one manifest.
pub const MANIFEST_MAX_DESCRIPTORS: usize = 10_000;

/// Most entries on one page of tags, repositories or referrers.
pub const PAGE_MAX_ENTRIES: usize = 1000;

/// Most `tag` parameters of one manifest push; the specification asks for at least 10.
pub const TAGS_PER_PUT_MAX: usize = 16;
