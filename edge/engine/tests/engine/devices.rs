//! The devices that people come with: what is kept of them, and what is not.

use std::collections::BTreeMap;

use endcap_events::ingest::Batch;
use endcap_events::ingest::sender::{LanguageTag, Place, Sender};
use endcap_events::ingest::user_agent::UserAgent;
use endcap_identity::IdentityRules;
use endcap_profile::ProfileRow;
use endcap_profile::memberships::Memberships;
use endcap_profile::occurrences::FragmentOccurrences;
use endcap_targeting::device::DeviceText;
use serde_json::{Value, json};

use crate::support::{BROWSER, NOW, after, applied, batch, first, follows, ingested, stranger, viewed, with};

const PHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1";
const LAPTOP: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:145.0) Gecko/20100101 Firefox/145.0";

fn sender(agent: &str, locale: &str) -> Sender {
    let place = Place::new("AT", "5", "Salzburg");
    Sender { agent: UserAgent::parse(agent), locale: LanguageTag::parse(locale), place }
}

/// Sends a batch from a device.
fn send(row: &mut ProfileRow, body: &Value, sender: Sender, at: i64) {
    let mut batch = Batch { sender, ..ingested(body, at) };
    applied(row, &mut batch, at, &IdentityRules::default());
}

fn known(row: &ProfileRow) -> Vec<String> {
    let held = row.latest_device();
    let text = |fact: &DeviceText| held.and_then(|held| held.text(*fact)).unwrap_or_default().to_owned();
    DeviceText::ALL.iter().map(text).collect()
}

#[test]
fn devices_follow_the_row_where_the_version_before_does_not_look() {
    let mut row = after(&[viewed("v", NOW, "boot", "shoes")]);
    row.memberships = Some(Memberships { judged: 7, held: BTreeMap::new() });
    row.occurrences.insert(first(BROWSER), FragmentOccurrences::begun(7));
    let without = row.clone();
    row.note_device(&first(BROWSER), sender(PHONE, "de-AT"), NOW);
    let name = "profile-row-v3-possession-v1-links-v1-successions-v1-memberships-v1-occurrences-v1-devices-v1.bin";
    follows(&row, &without, name);
}

#[test]
fn devices_of_a_shop_without_segments_are_kept_and_the_version_before_reads_the_rest() {
    let without = after(&[viewed("v", NOW, "boot", "shoes")]);
    let mut row = without.clone();
    row.note_device(&first(BROWSER), sender(PHONE, "de-AT"), NOW);
    let packed = row.pack().unwrap();
    assert!(packed.starts_with(&without.pack().unwrap()));
    assert_eq!(ProfileRow::unpack(&packed).unwrap(), row);
    assert!(row.memberships.is_none());
}

#[test]
fn events_say_what_their_request_does_not_and_who_refuses_leaves_nothing() {
    let mut row = stranger();
    let seen = |id: &str, context: Value| with(viewed(id, NOW, "boot", "shoes"), "context", context);
    send(&mut row, &batch(&[seen("a", json!({"locale": "de-ch"}))]), sender(PHONE, "en"), NOW);
    let phone = ["mobile", "safari", "ios", "de", "de-CH", "AT", "AT-5", "Salzburg"];
    assert_eq!(known(&row), phone);
    // A server tells of the browser, not of itself.
    let told = json!({"user_agent": LAPTOP, "locale": "fr"});
    send(&mut row, &batch(&[seen("b", told)]), Sender::default(), NOW + 1);
    assert_eq!(known(&row), ["desktop", "firefox", "macos", "fr", "fr", "AT", "AT-5", "Salzburg"]);
    let refused = json!({"analytics": false, "personalization": false, "marketing": false});
    let refusal = with(with(batch(&[]), "consent", refused), "sent_at", json!(NOW + 2));
    send(&mut row, &refusal, sender(PHONE, "en"), NOW + 2);
    assert_eq!(known(&row), [""; 8]);
    assert!(row.devices.is_empty());
    // What a server tells of it later, and what was on its way with the consent of before, brings nothing back.
    let told = with(batch(&[seen("c", json!({"user_agent": LAPTOP}))]), "consent", Value::Null);
    send(&mut row, &told, Sender::default(), NOW + 3);
    send(&mut row, &with(batch(&[seen("d", json!({}))]), "sent_at", json!(NOW - 1)), sender(PHONE, "en"), NOW + 4);
    assert!(row.devices.is_empty(), "{:?}", row.devices);
}
