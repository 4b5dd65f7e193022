//! Write keys: who speaks, and how far they are believed.
//!
//! The write key of a page is the source's own name, which every visitor can read. A server has a secret one.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use endcap_protocol::SourceId;

/// Shortest secret, in bytes: shorter ones can be guessed.
const MIN_BYTES: usize = 16;
/// Longest write key that is looked at, in bytes.
const MAX_BYTES: usize = 256;

const BASE64: GeneralPurpose =
    GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent));

/// Secret write keys of servers, with the source that each speaks for.
#[derive(Debug, Clone, Default)]
pub struct ServerKeys(Vec<(String, SourceId)>);

impl ServerKeys {
    /// Parses `{"<write key>": "<source>"}`. Keys under 16 bytes and names that are no source are left out.
    #[must_use]
    pub fn parse(json: &str) -> Self {
        let map: BTreeMap<String, String> = serde_json::from_str(json).unwrap_or_default();
        let strong = map.into_iter().filter(|(key, _)| (MIN_BYTES..=MAX_BYTES).contains(&key.len()));
        Self(strong.filter_map(|(key, source)| Some((key, SourceId::parse(&source).ok()?))).collect())
    }

    /// The source that a key speaks for. Takes the same time whatever is right in the given text.
    #[must_use]
    pub fn source(&self, given: &str) -> Option<&SourceId> {
        let matching = self.0.iter().filter(|(key, _)| same(key, given));
        matching.fold(None, |_, (_, source)| Some(source))
    }
}

/// Compares without telling by its time how much was right.
fn same(secret: &str, given: &str) -> bool {
    let difference = secret.bytes().zip(given.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b));
    secret.len() == given.len() && difference == 0
}

/// The user name of a `Basic` authorization (RFC 7617), where clients put the write key; with or without padding.
#[must_use]
pub fn basic_user(header: &str) -> Option<String> {
    let (scheme, text) = header.trim().split_once(' ')?;
    let text = text.trim();
    if !scheme.eq_ignore_ascii_case("basic") || text.len() > 4 * MAX_BYTES {
        return None;
    }
    let pair = String::from_utf8(BASE64.decode(text).ok()?).ok()?;
    let user = pair.split_once(':').map_or(pair.as_str(), |(user, _)| user);
    (!user.is_empty()).then(|| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_secret_key_names_its_source_and_nothing_else_does() {
        let keys = ServerKeys::parse(r#"{"0123456789abcdef":"shop","fedcba9876543210":"app","short":"shop"}"#);
        assert_eq!(keys.source("0123456789abcdef").map(SourceId::as_str), Some("shop"));
        assert_eq!(keys.source("fedcba9876543210").map(SourceId::as_str), Some("app"));
        for wrong in ["", "short", "shop", "0123456789abcdeg", "0123456789abcdef0"] {
            assert_eq!(keys.source(wrong), None, "{wrong}");
        }
        assert_eq!(ServerKeys::parse("[]").source(""), None);
    }

    #[test]
    fn reads_the_user_of_a_basic_authorization() {
        assert_eq!(basic_user("Basic YWJjOg==").as_deref(), Some("abc"));
        assert_eq!(basic_user("basic YWJjOmRlZg").as_deref(), Some("abc"));
        assert_eq!(basic_user("Basic YWJj").as_deref(), Some("abc"));
        for wrong in ["", "Basic", "Basic ", "Bearer YWJjOg==", "Basic !", "Basic Og=="] {
            assert_eq!(basic_user(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(header in "(Basic |)[ -~]{0,60}") {
            let _ = basic_user(&header);
        }
    }
}
