//! Who may call a route.

/// What a request has to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Anybody,
    /// A page of an origin that the source lists, or a service worker of it.
    Page,
    /// Whoever has a link or an image of ours: what it may do stands in its signed token.
    Visitor,
    /// A write key: a source's public name, or a server's secret one.
    WriteKey,
    /// A signature over the body.
    Signature,
    /// The deployment's API key.
    Operator,
}
