//! Reading the query of an image or link: values may be longer than a campaign parameter.

use endcap_protocol::touch::decode;

/// The first value of a query parameter, decoded; None when absent, empty or over `max` bytes as sent.
#[must_use]
pub fn parameter(query: &str, name: &str, max: usize) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let raw = pairs.find(|(key, _)| *key == name)?.1;
    let value = if raw.len() <= max { decode(raw) } else { return None };
    (!value.is_empty()).then_some(value)
}

/// The origin of an http(s) URL, as it is written there; None where it is none.
#[must_use]
pub fn origin(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
    url.get(..scheme.len() + 3 + authority.len())
}

/// The query of a URL, without `?` and fragment.
#[must_use]
pub fn of(url: &str) -> &str {
    let before = url.split('#').next().unwrap_or_default();
    before.split_once('?').map_or("", |(_, query)| query)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_first_value_within_its_bound() {
        let query = of("https://h/p.gif?s=shop&u=https%3A%2F%2Fh%2F%3Fa%3Db&s=other&e=#f?x=1");
        assert_eq!(parameter(query, "s", 9).as_deref(), Some("shop"));
        assert_eq!(parameter(query, "u", 99).as_deref(), Some("https://h/?a=b"));
        assert_eq!(parameter(query, "u", 9), None);
        assert_eq!(parameter(query, "e", 9), None);
        assert_eq!(parameter(query, "x", 9), None);
        assert_eq!(of("https://h/"), "");
    }

    #[test]
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(origin("https://shop.example:8443?x=/"), Some("https://shop.example:8443"));
        assert_eq!(origin("http://shop.example/a/b"), Some("http://shop.example"));
        for none in ["", "/a", "//shop.example/", "https:///a", "data:text/html,x", "ftp://h/"] {
            assert_eq!(origin(none), None, "{none}");
        }
    }
}
