//! What an event does to a visitor's behaviour.

use endcap_protocol::commerce::{Commerce, Line};
use endcap_protocol::{Consent, SessionId};

/// One change of behaviour, the same in the page and at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// The visitor is in this session; a new one starts its page count afresh.
    Session(SessionId),
    /// A page was viewed.
    PageViewed,
    /// Something was done with products.
    Commerce(Commerce),
    /// The visitor decided about consent.
    Consented(Consent),
    /// The browser subscribed to web push, or left.
    Push(bool),
    /// A campaign was shown.
    Shown(String),
}

/// The category under which conditions count a line of an order or cart; empty where the line has none.
pub(crate) fn category_of(line: &Line) -> &str {
    line.category.as_ref().map_or("", |category| category.as_str())
}
