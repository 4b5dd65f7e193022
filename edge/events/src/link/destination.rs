//! Where a link leads: an absolute http(s) URL that every browser reads as the same one.
//!
//! The redirect answers with it in `Location`, so it is checked when the link is made and again when it is followed: a
//! URL that passes names its host where we look for it, and has nothing that the URL standard would silently change
//! (<https://url.spec.whatwg.org/#url-parsing>: tabs and line breaks are dropped, `\` is read as `/`, `user@` hides the
//! host, missing slashes are put in).

use endcap_protocol::FieldError;
use endcap_validation::text::check_text;
use endcap_validation::url::authority_is_plain;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An absolute http(s) URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination(String);

/// Campaign parameters that are added to a destination. What the URL has already stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Utm {
    /// `utm_source`, for example `newsletter`.
    pub source: Option<String>,
    /// `utm_medium`, for example `email`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// `utm_term`.
    pub term: Option<String>,
    /// `utm_content`.
    pub content: Option<String>,
    /// `utm_id`.
    pub id: Option<String>,
}

impl Utm {
    /// Name and value of every parameter that is given.
    fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("utm_source", &self.source),
            ("utm_medium", &self.medium),
            ("utm_campaign", &self.campaign),
            ("utm_term", &self.term),
            ("utm_content", &self.content),
            ("utm_id", &self.id),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)))
    }

    /// Checks what the type cannot say.
    ///
    /// # Errors
    /// The parameter that is empty, over 200 bytes or holds control characters.
    pub fn check(&self) -> Result<(), FieldError> {
        self.parameters().try_for_each(|(name, value)| check_text(name.trim_start_matches("utm_"), value, 200))
    }
}

impl Destination {
    /// Longest URL, in bytes, parameters included.
    pub const MAX: usize = 4096;

    /// Parses outside text.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence about the URL.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > Self::MAX {
            return Err("must be at most 4096 bytes");
        }
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\\\"<>`".contains(&byte));
        if !plain {
            return Err(
                "must be ASCII without spaces, quotes, angle brackets and backslashes; percent-encode the rest",
            );
        }
        let (scheme, rest) = text.split_once("://").ok_or("must be an absolute http or https URL")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return Err("must be an absolute http or https URL");
        }
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority_is_plain(authority) { Ok(Self(text.to_owned())) } else { Err("must name a plain host") }
    }

    /// The URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same URL with campaign parameters that it does not have yet, in front of its fragment.
    ///
    /// # Errors
    /// When it becomes longer than [`Destination::MAX`].
    pub fn with_utm(&self, utm: &Utm) -> Result<Self, &'static str> {
        let (before, fragment) = self.0.split_at(self.0.find('#').unwrap_or(self.0.len()));
        let query = before.split_once('?').map_or("", |(_, query)| query);
        let held: Vec<&str> = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default()).collect();
        let mut url = before.to_owned();
        for (name, value) in utm.parameters().filter(|(name, _)| !held.contains(name)) {
            url.push(if url.contains('?') { '&' } else { '?' });
            url.push_str(name);
            url.push('=');
            url.push_str(&encode(value));
        }
        url.push_str(fragment);
        Self::parse(&url)
    }
}

/// Percent-encodes what is not unreserved (RFC 3986 §2.3).
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use endcap_protocol::touch::{Campaign, decode};
    use proptest::prelude::*;

    fn utm(source: &str, campaign: &str) -> Utm {
        Utm { source: Some(source.to_owned()), campaign: Some(campaign.to_owned()), ..Utm::default() }
    }

    #[test]
    fn takes_web_addresses_as_they_are() {
        let good = [
            "https://shop.example",
            "HTTPS://Shop.Example/p/1?x=y&z=1#top",
            "http://127.0.0.1:8787/?a=b@c",
            "http://[::1]:1/",
            "https://shop.example?q",
            "https://xn--mbel-5qa.example/m%C3%B6bel",
        ];
        for url in good {
            assert_eq!(Destination::parse(url).map(|d| d.0), Ok(url.to_owned()));
        }
    }

    #[test]
    fn refuses_every_trick_to_lead_elsewhere() {
        let bad = [
            "",
            "/p/1",
            "//evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://",
            "https://?x",
            "javascript:alert(1)",
            "javascript://shop.example/%0Aalert(1)",
            "data:text/html,x",
            "ftp://shop.example/",
            " https://shop.example/",
            "https://shop.example/\n",
            "https://shop.example\\@evil.example/",
            "https:\\\\evil.example/",
            "https://shop.example@evil.example/",
            "https://shop.example:80@evil.example/",
            "https://evil.example%2f.shop.example/",
            "https://shop.example:99999/",
            "https://shop.example:/",
            "https://.shop.example/",
            "https://a..b/",
            "https://[::1/",
            "https://[shop]/",
            "https://[::1]x/",
            "https://\u{ff0f}evil.example/",
            "https://möbel.example/",
            "ht\ttps://shop.example/",
        ];
        for url in bad {
            assert!(Destination::parse(url).is_err(), "{url:?}");
        }
    }

    #[test]
    fn campaign_parameters_come_before_the_fragment_and_replace_nothing() {
        let url = Destination::parse("https://shop.example/p?utm_source=own&x=1#top").unwrap();
        let tagged = url.with_utm(&utm("news", "späte sale")).unwrap();
        assert_eq!(tagged.as_str(), "https://shop.example/p?utm_source=own&x=1&utm_campaign=sp%C3%A4te%20sale#top");
        let bare = Destination::parse("https://shop.example").unwrap();
        assert_eq!(bare.with_utm(&utm("n", "c")).unwrap().as_str(), "https://shop.example?utm_source=n&utm_campaign=c");
    }

    #[test]
    fn too_long_is_refused() {
        let url = Destination::parse(&format!("https://shop.example/{}", "a".repeat(4070))).unwrap();
        assert!(url.with_utm(&utm("news", "c")).is_err());
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_read_back(text in "\\PC{1,40}") {
            prop_assert_eq!(decode(&encode(&text)), text.clone());
            let url = Destination::parse("https://shop.example/").unwrap().with_utm(&utm(&text, "c")).unwrap();
            let query = url.as_str().split_once('?').unwrap().1.to_owned();
            let campaign = Campaign::from_query(&query).unwrap();
            prop_assert_eq!(&campaign.utm[0].1, &text);
        }

        #[test]
        fn whatever_is_taken_starts_with_its_host(text in "(https?|javascript|)[:/\\\\@a-z.0-9\\[\\] \t%]{0,30}") {
            if let Ok(url) = Destination::parse(&text) {
                let rest = url.as_str().split_once("://").unwrap().1;
                prop_assert!(rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['));
                prop_assert!(!rest.split(['/', '?', '#']).next().unwrap().contains('@'));
            }
        }
    }
}
