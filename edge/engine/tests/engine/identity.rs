//! Signed texts, proofs and routes, as browsers and shops hand them back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use endcap_identity::proof::{ProofError, ProofForms, ProofJudge};
use endcap_identity::route::shard_of;
use endcap_identity::signed::peek;
use endcap_identity::{Keys, ProfileRoute, Purpose, proof};
use endcap_protocol::{BUCKETS, bucket_of};
use proptest::prelude::*;

use crate::support::{anonymous, user};

/// Judges a proof for a user under one secret.
fn judge(secret: &[u8], name: &str, proof: &str) -> Result<(), ProofError> {
    let secrets = [secret.to_vec()];
    ProofJudge { secrets: &secrets, source: "shop", forms: ProofForms::Any, now: 0 }.judge(&user(name), proof)
}

fn key(id: &str, byte: u8) -> String {
    format!("{id}:{}", BASE64.encode([byte; 32]))
}

fn keys(entries: &[String]) -> Keys {
    Keys::parse(&entries.join(","))
}

#[test]
fn a_key_is_good_until_it_is_taken_out() {
    let (old, new) = (key("2025", 1), key("2026", 2));
    let before = keys(std::slice::from_ref(&old));
    let during = keys(&[new.clone(), old.clone()]);
    let after = keys(std::slice::from_ref(&new));
    let first = before.sign(Purpose::Route, "profile").unwrap();
    let second = during.sign(Purpose::Route, "profile").unwrap();
    let opens = |keys: &Keys, text: &str| keys.verify(Purpose::Route, text).is_some();
    assert_eq!([opens(&before, &first), opens(&during, &first), opens(&after, &first)], [true, true, false]);
    assert_eq!([opens(&before, &second), opens(&during, &second), opens(&after, &second)], [false, true, true]);
    // A new key under an old name opens nothing that the old one signed.
    assert!(!opens(&keys(&[key("2025", 3)]), &first));
}

#[test]
fn two_keys_of_one_name_do_not_stand_in_for_each_other() {
    let first = keys(&[key("k", 1)]).sign(Purpose::Route, "p").unwrap();
    assert_eq!(keys(&[key("k", 1), key("k", 2)]).verify(Purpose::Route, &first).as_deref(), Some("p"));
    assert_eq!(keys(&[key("k", 2), key("k", 1)]).verify(Purpose::Route, &first), None);
}

#[test]
fn only_whole_texts_of_the_known_version_verify() {
    let keys = keys(&[key("k", 1)]);
    let good = keys.sign(Purpose::Route, "profile ä 1").unwrap();
    assert_eq!(keys.verify(Purpose::Route, &good).as_deref(), Some("profile ä 1"));
    let (head, mac) = good.rsplit_once('.').unwrap();
    let wrong = [
        String::new(),
        ".".to_owned(),
        head.to_owned(),
        format!("{head}."),
        format!("{head}.{}", &mac[..mac.len() - 2]),
        format!("{good}."),
        format!("{good}=="),
        format!(" {good}"),
        good.replacen("1.", "2.", 1),
        good.replacen(".k.", ".j.", 1),
        format!("1.k.{}.{mac}", BASE64.encode([0xff])),
    ];
    for text in wrong {
        assert_eq!(keys.verify(Purpose::Route, &text), None, "{text}");
    }
}

#[test]
fn what_peeking_shows_is_not_verified() {
    let forged = format!("1.k.{}.{}", BASE64.encode("victim"), BASE64.encode([0; 16]));
    assert_eq!(peek(&forged).as_deref(), Some("victim"));
    assert_eq!(keys(&[key("k", 1)]).verify(Purpose::Route, &forged), None);
    assert_eq!(peek("1.k.victim"), None);
}

#[test]
fn without_keys_nothing_is_signed_and_nothing_verifies() {
    let signed = keys(&[key("k", 1)]).sign(Purpose::Notification, "p").unwrap();
    let weak = [BASE64.encode([1; 15]), "not base64!".to_owned()].map(|key| format!("k:{key}"));
    let long_name = key(&"k".repeat(17), 1);
    for text in [String::new(), ",,:".to_owned(), weak.join(","), long_name, key("a.b", 1)] {
        let none = Keys::parse(&text);
        assert!(none.is_empty(), "{text}");
        assert_eq!((none.sign(Purpose::Notification, "p"), none.verify(Purpose::Notification, &signed)), (None, None));
    }
}

#[test]
fn a_browser_at_home_lives_where_its_name_says() {
    let route = ProfileRoute::home(&anonymous("browser-1")).unwrap();
    assert_eq!((route.profile.as_str(), route.bucket()), ("browser-1", bucket_of("browser-1")));
    let longest = "x".repeat(100);
    assert_eq!(ProfileRoute::home(&anonymous(&longest)).unwrap().profile.as_str(), longest);
}

#[test]
fn shards_split_without_moving_a_profile_between_old_neighbours() {
    // Twice as many shards: each splits into its own two halves.
    for bucket in 0..BUCKETS {
        assert_eq!(shard_of(bucket, 16), shard_of(bucket, 32) / 2);
    }
    assert_eq!([shard_of(0, 0), shard_of(1023, 1), shard_of(1023, 16)], [0, 0, 15]);
}

proptest! {
    #[test]
    fn any_payload_comes_back_and_any_change_is_noticed(
        payload in ".{0,80}", at in any::<prop::sample::Index>(), flip in 1_u8..128,
    ) {
        let keys = keys(&[key("k", 1)]);
        let signed = keys.sign(Purpose::Route, &payload).unwrap();
        prop_assert_eq!(keys.verify(Purpose::Route, &signed), Some(payload.clone()));
        prop_assert_eq!(keys.verify(Purpose::Notification, &signed), None);
        let mut bytes = signed.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let changed = String::from_utf8(bytes).unwrap();
        prop_assert_eq!(keys.verify(Purpose::Route, &changed), None);
    }

    #[test]
    fn any_text_is_looked_at_without_panic(text in ".{0,80}", secret in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = peek(&text);
        let keys = Keys::parse(&text);
        prop_assert_eq!(keys.verify(Purpose::Route, &text), None);
        prop_assert!(judge(&secret, "ann", &text).is_err());
    }

    #[test]
    fn a_proof_is_for_one_user_and_one_secret(
        secret in proptest::collection::vec(any::<u8>(), 1..80), name in "[a-z@.]{1,40}", other in "[a-z@.]{1,40}",
    ) {
        let made = proof::prove(&secret, &user(&name));
        prop_assert!(judge(&secret, &name, &made).is_ok());
        prop_assert_eq!(judge(&secret, &other, &made).is_ok(), name == other);
        let longer = [&secret[..], &[1]].concat();
        prop_assert!(judge(&longer, &name, &made).is_err());
    }
}
