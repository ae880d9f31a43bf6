//! How the answer to a HEAD tells how long the content is.

/// Who tells the length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HeadLength {
    /// The answer's own `Content-Length`; it has no body.
    #[default]
    Header,
    /// A gateway, which counts the body that a GET would have and drops it. For a blob, the store.
    Content,
}
