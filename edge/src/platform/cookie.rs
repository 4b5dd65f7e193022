//! The header `Cookie` (RFC 6265 §5.4).

use endcap_protocol::cookie::POSSESSION_COOKIE;

/// Name of the cookie of possession tokens. Browsers take a name with this prefix from the very host only, and encrypted.
pub(crate) fn possession_cookie(secure: bool) -> String {
    format!("{}{POSSESSION_COOKIE}", if secure { "__Host-" } else { "" })
}

/// The value of a cookie, out of the header.
pub(crate) fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
