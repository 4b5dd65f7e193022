//! The headers `Cookie` and `Set-Cookie` (RFC 6265 §5.4 and §4.1).

use endcap_identity::possession_token::HeldTokens;
use endcap_protocol::cookie::{MAX_AGE_SECONDS, POSSESSION_COOKIE};

/// Who may read a cookie that we set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Scripts of the page too.
    Scripts,
    /// Only the edge.
    Edge,
}

/// `Set-Cookie` of a cookie for the whole host that lives as long as browsers keep one.
pub(crate) fn lasting(name: &str, value: &str, readers: Readers, secure: bool) -> String {
    let hidden = if readers == Readers::Edge { "; HttpOnly" } else { "" };
    format!("{name}={value}{hidden}; Path=/; Max-Age={MAX_AGE_SECONDS}; SameSite=Lax{}", encrypted(secure))
}

/// `Set-Cookie` that takes a cookie away.
pub(crate) fn removed(name: &str, secure: bool) -> String {
    format!("{name}=; Path=/; Max-Age=0; SameSite=Lax{}", encrypted(secure))
}

fn encrypted(secure: bool) -> &'static str {
    if secure { "; Secure" } else { "" }
}

/// The possession tokens out of the header.
pub(crate) fn tokens(header: &str, secure: bool) -> HeldTokens<'_> {
    HeldTokens::parse(cookie(header, &possession_cookie(secure)).unwrap_or_default())
}

/// Name of the cookie of possession tokens. Browsers take a name with this prefix from the very host only, and encrypted.
pub(crate) fn possession_cookie(secure: bool) -> String {
    format!("{}{POSSESSION_COOKIE}", if secure { "__Host-" } else { "" })
}

/// The value of a cookie, out of the header.
pub(crate) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
