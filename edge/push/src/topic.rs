//! Topics: a push service keeps only the newest undelivered message of a topic (RFC 8030, section 5.4).

use sha2::{Digest as _, Sha256};

use crate::key::encode;

/// The `Topic` header for a name of any length and alphabet: base64url of the first 24 bytes of its SHA-256.
///
/// Always 32 characters, the most that RFC 8030 allows. The length matters: Apple's service decodes the topic and
/// refuses lengths that no base64 text can have. The name itself is not shown to the push service.
///
/// ```
/// assert_eq!(endcap_push::topic_of("cart").len(), 32);
/// ```
pub fn topic_of(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    encode(digest.get(..24).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_head_of_the_names_digest() {
        // SHA-256("abc") begins ba7816bf 8f01cfea 414140de 5dae2223 b00361a3 96177a9c (FIPS 180-2, appendix B.1).
        assert_eq!(topic_of("abc"), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qc");
    }

    #[test]
    fn every_name_gives_32_url_safe_characters_and_its_own_topic() {
        let names = ["", "cart", "cart-2", "Wagen\u{e4}", &"x".repeat(5000)];
        let topics: Vec<String> = names.iter().map(|name| topic_of(name)).collect();
        for topic in &topics {
            assert_eq!(topic.len(), 32);
            assert!(topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        }
        let mut distinct = topics.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), topics.len());
    }
}
