//! Touchpoints: the campaign parameters and click identifiers of a landing URL.

use crate::limits::NAME_BYTES;

/// Click identifiers of the common ad networks, by URL parameter.
pub const CLICK_IDS: [&str; 14] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "fbclid",
    "msclkid",
    "ttclid",
    "twclid",
    "li_fat_id",
    "epik",
    "rdt_cid",
    "sccid",
    "yclid",
    "lclid",
];

/// The standard campaign parameters, with the short name that the envelope uses.
const UTM: [(&str, &str); 6] = [
    ("utm_source", "source"),
    ("utm_medium", "medium"),
    ("utm_campaign", "name"),
    ("utm_term", "term"),
    ("utm_content", "content"),
    ("utm_id", "id"),
];

/// What a landing URL says about the campaign that brought the visitor. At most one value per parameter, the first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Campaign {
    /// Short name (`source`, `medium`, `name`, `term`, `content`, `id`) and value, in that order.
    pub utm: Vec<(&'static str, String)>,
    /// Click identifier's parameter and value.
    pub click_ids: Vec<(&'static str, String)>,
}

impl Campaign {
    /// Reads a query string, with or without its `?`. None when it names no campaign.
    #[must_use]
    pub fn from_query(query: &str) -> Option<Self> {
        let mut campaign = Self::default();
        for (parameter, short) in UTM {
            campaign.utm.extend(parameter_value(query, parameter).map(|value| (short, value)));
        }
        for parameter in CLICK_IDS {
            campaign.click_ids.extend(parameter_value(query, parameter).map(|value| (parameter, value)));
        }
        (campaign != Self::default()).then_some(campaign)
    }
}

/// The first value of a query parameter, decoded, cut to 200 bytes; None when absent or empty.
#[must_use]
pub fn parameter_value(query: &str, name: &str) -> Option<String> {
    let pairs = query.trim_start_matches('?').split('&');
    let raw = pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?.1;
    let value = decode(raw);
    let value = cut(&value, NAME_BYTES);
    (!value.is_empty()).then(|| value.to_owned())
}

/// At most `max` bytes of `text`, cut at a character's edge.
#[must_use]
pub fn cut(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Decodes `application/x-www-form-urlencoded` text (WHATWG URL §5.1): `+` is a space, bad escapes stay as they are,
/// invalid UTF-8 becomes U+FFFD. Control characters are dropped.
#[must_use]
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| hex(bytes.get(at + 1), bytes.get(at + 2))).flatten();
        out.push(match (escaped, byte) {
            (Some(decoded), _) => decoded,
            (None, b'+') => b' ',
            (None, other) => other,
        });
        at += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).chars().filter(|c| !c.is_control()).collect()
}

fn hex(high: Option<&u8>, low: Option<&u8>) -> Option<u8> {
    let digit = |byte: Option<&u8>| char::from(*byte?).to_digit(16);
    Some((digit(high)? * 16 + digit(low)?) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_campaign_and_click_ids() {
        let query = "?utm_source=News%20letter&utm_medium=email&utm_campaign=sp%C3%A4t+sale&gclid=abc&x=1";
        let campaign = Campaign::from_query(query).unwrap();
        let utm = [("source", "News letter"), ("medium", "email"), ("name", "spät sale")];
        assert_eq!(campaign.utm, utm.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(campaign.click_ids, [("gclid", "abc".to_owned())]);
        assert_eq!(Campaign::from_query("?q=shoes"), None);
        assert_eq!(Campaign::from_query("?utm_source="), None);
    }

    #[test]
    fn the_first_of_repeated_parameters_counts() {
        assert_eq!(parameter_value("a=1&a=2", "a").as_deref(), Some("1"));
    }

    proptest! {
        #[test]
        fn any_query_is_read_within_bounds(query in ".{0,4000}") {
            if let Some(campaign) = Campaign::from_query(&query) {
                prop_assert!(campaign.utm.iter().chain(&campaign.click_ids).all(|(_, v)| v.len() <= NAME_BYTES));
            }
        }

        #[test]
        fn plain_text_decodes_to_itself(text in "[a-zA-Z0-9._~-]{0,40}") {
            prop_assert_eq!(decode(&text), text);
        }
    }
}
