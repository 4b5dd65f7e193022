//! Addresses that the shop writes into campaigns, settings and the catalogue.

use endcap_protocol::FieldError;

/// Longest address, in bytes.
const MAX: usize = 2048;

/// Refuses what is neither an http(s) URL with a plain host nor a path on the page's own host.
///
/// Placeholders (`{{name}}`) may stand in path and query only, so that nothing a visitor brings about chooses the host.
/// Whoever fills them in percent-encodes the values.
///
/// # Errors
/// When it is none, with `path`.
pub fn check_url(path: &str, url: &str) -> Result<(), FieldError> {
    let wrong = |message| Err(FieldError::new(path, message));
    let plain = url.len() <= MAX && !url.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\');
    if !plain {
        return wrong("must have at most 2048 bytes and no spaces, control characters or backslashes");
    }
    if url.split_once('#').is_some_and(|(_, fragment)| fragment.contains("{{")) {
        return wrong("may have placeholders in path and query only, not behind #");
    }
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match rest {
        Some(rest) if authority_is_plain(rest.split(['/', '?', '#']).next().unwrap_or_default()) => Ok(()),
        Some(_) => wrong("must name a plain host (ASCII; xn--… for other letters), without user and placeholders"),
        // An empty value must not turn the path into another host's address either.
        None if url.starts_with('/') && !without_placeholders(url).starts_with("//") => Ok(()),
        None => wrong("must be an http(s) URL or a path that starts with one /"),
    }
}

/// A text with every `{{name}}` left out.
fn without_placeholders(text: &str) -> String {
    let mut pieces = text.split("{{");
    let mut left = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        left.push_str(piece.split_once("}}").map_or(piece, |(_, after)| after));
    }
    left
}

/// Whether a host is a site's, or lies below it.
#[must_use]
pub fn lies_at(host: &str, site: &str) -> bool {
    host.strip_suffix(site).is_some_and(|below| below.is_empty() || below.ends_with('.'))
}

/// Whether an authority is a host with an optional port: no user, no escapes, nothing but the characters of names.
#[must_use]
pub fn authority_is_plain(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        // An IPv6 address has colons of its own.
        Some(rest) => {
            let Some((address, after)) = rest.split_once(']') else { return false };
            let right = address.contains(':') && address.bytes().all(|b| b.is_ascii_hexdigit() || b":.".contains(&b));
            return right && (after.is_empty() || after.strip_prefix(':').is_some_and(is_port));
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let named = host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b));
    let starts = host.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    named && starts && !host.contains("..") && port.is_none_or(is_port)
}

fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_lies_at_its_site_and_at_those_above_it() {
        assert!(lies_at("paypal.com", "paypal.com") && lies_at("www.paypal.com", "paypal.com"));
        assert!(!lies_at("notpaypal.com", "paypal.com") && !lies_at("com", "paypal.com"));
    }

    #[test]
    fn web_addresses_and_own_paths_are_urls() {
        let good = [
            "/",
            "/p/1?x=y",
            "/{{category_id}}",
            "/c/{{category_id}}?from={{category}}#top",
            "https://shop.example/p",
            "https://shop.example/{{category_id}}/x",
            "https://shop.example?c={{category_id}}",
            "https://shop.example/möbel",
            "http://127.0.0.1:1/p",
            "http://[::1]:1/p",
        ];
        for good in good {
            assert!(check_url("u", good).is_ok(), "{good}");
        }
    }

    #[test]
    fn nothing_else_is() {
        let bad = [
            "",
            "javascript:alert(1)",
            "//evil.example",
            "/\\evil.example",
            "/p\\x",
            "p/1",
            "data:x",
            "/a b",
            "/a\n",
            "/{{category_id}}/evil.example",
            "/{{a}}{{b}}/evil.example",
            "/{{/evil.example",
            "/p#{{category_id}}",
            "https://",
            "https:///evil.example",
            "https://{{category_id}}/x",
            "https://shop.example{{category_id}}/x",
            "https://shop.example:{{category_id}}/x",
            "https://user:pw@shop.example/",
            "https://shop.example@evil.example/",
            "https://shop.example\\@evil.example/",
            "https://shop.example:99999/",
            "https://möbel.example/",
        ];
        for bad in bad {
            assert!(check_url("u", bad).is_err(), "{bad}");
        }
    }
}
