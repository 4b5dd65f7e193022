//! Events as browsers write them, the shop they happen in, and one call from bytes to profile.

use std::collections::BTreeSet;
use std::path::PathBuf;

use endcap_engine::segment::definition::Definition;
use endcap_engine::segment::membership::{MembershipChange, MembershipChanges};
use endcap_engine::segment::{SavedSegment, Segments};
use endcap_engine::shop::Snapshot;
use endcap_engine::shop::snapshot::WireSnapshot;
use endcap_engine::visit::{Refreshed, Visit, apply, refresh};
use endcap_events::ingest::{Batch, ingest};
use endcap_identity::rules::ClaimPolicy;
use endcap_identity::{Assignment, FragmentId, IdentityRules, LinkStrength, proof};
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::{Fragment, Person, ProfileRow, Reassigned};
use endcap_protocol::{AnonymousId, ProfileId, SegmentId, UnixMillis, UserId};
use endcap_validation::Trust;
use serde_json::{Value, json};

/// The edge's clock unless a test says otherwise: 2025-11-22, 08:26:40 UTC.
pub(crate) const NOW: UnixMillis = 1_763_800_000_000;
/// The key of identify proofs.
pub(crate) const SECRET: &[u8] = b"the shop's secret";
/// The browser of tests that need only one.
pub(crate) const BROWSER: &str = "browser-1";

pub(crate) fn anonymous(id: &str) -> AnonymousId {
    AnonymousId::parse(id).unwrap()
}

/// The fragment that a browser begins with.
pub(crate) fn first(browser: &str) -> FragmentId {
    FragmentId::first(&anonymous(browser))
}

pub(crate) fn user(id: &str) -> UserId {
    UserId::parse(id).unwrap()
}

/// An event of session `s1`; the members of `more` are added, or replace its own.
pub(crate) fn event(kind: &str, id: &str, at: UnixMillis, more: &Value) -> Value {
    let mut event = json!({"message_id": id, "type": kind, "timestamp": at, "session_id": "s1"});
    for (key, value) in more.as_object().unwrap() {
        event[key] = value.clone();
    }
    event
}

pub(crate) fn track(id: &str, at: UnixMillis, name: &str, properties: &Value) -> Value {
    event("track", id, at, &json!({"name": name, "properties": properties}))
}

pub(crate) fn page(id: &str, at: UnixMillis, url: &str) -> Value {
    event("page", id, at, &json!({"context": {"page": {"url": url}}}))
}

pub(crate) fn viewed(id: &str, at: UnixMillis, product: &str, category: &str) -> Value {
    track(id, at, "Product Viewed", &json!({"product_id": product, "category": category}))
}

pub(crate) fn added(id: &str, at: UnixMillis, product: &str, category: &str) -> Value {
    track(id, at, "Product Added", &json!({"product_id": product, "category": category, "price": 10, "quantity": 1}))
}

/// An order of two units of one product, 20.00 EUR.
pub(crate) fn ordered(id: &str, at: UnixMillis, order: &str, product: &str) -> Value {
    let line = json!({"product_id": product, "category": "shoes", "price": 10, "quantity": 2});
    track(id, at, "Order Completed", &json!({"order_id": order, "products": [line]}))
}

/// An identify with the shop's proof.
pub(crate) fn proved(id: &str, at: UnixMillis, user_id: &str, traits: &Value) -> Value {
    let proof = proof::prove(SECRET, &user(user_id));
    event("identify", id, at, &json!({"user_id": user_id, "traits": traits, "proof": proof}))
}

/// An identify without proof.
pub(crate) fn claimed(id: &str, at: UnixMillis, user_id: &str, traits: &Value) -> Value {
    event("identify", id, at, &json!({"user_id": user_id, "traits": traits}))
}

/// The event in another session.
pub(crate) fn in_session(mut event: Value, session: &str) -> Value {
    event["session_id"] = json!(session);
    event
}

/// A batch of [`BROWSER`], everything consented to.
pub(crate) fn batch(events: &[Value]) -> Value {
    let consent = json!({"analytics": true, "personalization": true, "marketing": true});
    json!({"source": "shop", "anonymous_id": BROWSER, "consent": consent, "events": events})
}

/// The batch with one member set.
pub(crate) fn with(mut batch: Value, key: &str, value: Value) -> Value {
    batch[key] = value;
    batch
}

/// Ingests a batch that is good as a whole.
pub(crate) fn ingested(batch: &Value, now: UnixMillis) -> Batch {
    ingest(batch.to_string().as_bytes(), now).unwrap()
}

/// A new profile, named like [`BROWSER`].
pub(crate) fn stranger() -> ProfileRow {
    ProfileRow::new(ProfileId::parse(BROWSER).unwrap(), NOW)
}

/// Applies a batch to the fragment that its browser adds to.
pub(crate) fn applied(row: &mut ProfileRow, batch: &mut Batch, now: UnixMillis, rules: &IdentityRules) -> Visit {
    let open = row.open_fragment(&batch.anonymous_id).cloned();
    let at = open.unwrap_or_else(|| FragmentId::first(&batch.anonymous_id));
    let secrets = [SECRET.to_vec()];
    let policy = EvidencePolicy { secrets: &secrets, now, trust: batch.trust, source: "shop", rules, stated: None };
    apply(row, &at, batch, now, &policy, &[])
}

/// Ingests a page's batch and applies it.
pub(crate) fn receive(row: &mut ProfileRow, batch: &Value, now: UnixMillis) -> Visit {
    applied(row, &mut ingested(batch, now), now, &IdentityRules::default())
}

/// The same where claims are not even listed.
pub(crate) fn receive_with_proof_only(row: &mut ProfileRow, batch: &Value, now: UnixMillis) -> Visit {
    applied(row, &mut ingested(batch, now), now, &proof_only())
}

/// Rules by which an identify without proof is not even listed.
pub(crate) fn proof_only() -> IdentityRules {
    IdentityRules { claims: [("*".to_owned(), ClaimPolicy::Proof)].into(), ..IdentityRules::default() }
}

/// Users that are this profile's by proof, or that its browsers only claim to be.
pub(crate) fn users(row: &ProfileRow, trust: Trust) -> Vec<&str> {
    let named = row.fragments.values().filter_map(|fragment| fragment.user.as_ref());
    match trust {
        Trust::Fact => row.users().into_iter().collect(),
        Trust::Claim => named.filter(|named| named.trust == trust).map(|named| named.user_id.as_str()).collect(),
    }
}

/// What a visit wants the graph to be told, as `namespace:value` and how far it is believed.
pub(crate) fn said(visit: &Visit) -> Vec<(String, Trust)> {
    let said = visit.assertion.iter().flat_map(|assertion| &assertion.said);
    said.map(|evidence| (evidence.identifier.to_string(), evidence.trust)).collect()
}

/// The profile of [`BROWSER`] after one batch of these events at [`NOW`].
pub(crate) fn after(events: &[Value]) -> ProfileRow {
    let mut row = stranger();
    receive(&mut row, &batch(events), NOW);
    row
}

/// The fragment of [`BROWSER`].
pub(crate) fn fragment(row: &ProfileRow) -> &Fragment {
    &row.fragments[BROWSER]
}

/// The person that the row's fragments fold into.
pub(crate) fn person(row: &ProfileRow) -> Person {
    Person::fold(&row.fragments)
}

/// Settles in a shop with nothing configured, and folds the whole person.
pub(crate) fn settled(row: &mut ProfileRow, now: UnixMillis) -> Refreshed {
    let mut refreshed = refresh(row, &Snapshot::empty(), now);
    refreshed.person.add_history(&row.fragments);
    refreshed
}

/// A product of the test shop, 19.99 EUR.
pub(crate) fn product(id: &str, category: &str) -> Value {
    json!({"id": id, "title": format!("The {id}"), "url": format!("/p/{id}"), "image": format!("/i/{id}.svg"),
        "category": category, "price": {"amount": 1999, "currency": "EUR"}, "available": true})
}

/// A shop with six products in two categories and these campaigns (ID and definition) and settings.
pub(crate) fn shop(campaigns: &[(&str, Value)], settings: &Value) -> Snapshot {
    let saved: Vec<Value> =
        campaigns.iter().map(|(id, made)| json!({"id": id, "version": 3, "definition": made})).collect();
    let products: Vec<Value> = [("boot", "shoes"), ("clog", "shoes"), ("pump", "shoes")]
        .into_iter()
        .chain([("coat", "coats"), ("cape", "coats"), ("parka", "coats")])
        .map(|(id, category)| product(id, category))
        .collect();
    let config = json!({"version": 1, "settings": settings, "campaigns": saved, "products": products});
    let wire: WireSnapshot = serde_json::from_value(json!({"config": config})).unwrap();
    Snapshot::empty().with(wire).unwrap()
}

/// The shop with these segments (ID and condition), the same since before anybody came.
pub(crate) fn with_segments(mut shop: Snapshot, segments: &[(&str, &str)]) -> Snapshot {
    let saved = segments.iter().map(|(id, condition)| SavedSegment {
        id: SegmentId::parse(id).unwrap(),
        version: 1,
        since: 1,
        changed_at: 0,
        born: 1,
        definition: Definition { name: (*id).to_owned(), condition: json!(condition), list: false },
    });
    shop.segments = Segments::read(1, saved.collect());
    shop
}

/// A stored form of a version; never written again. `ENDCAP_UPDATE=1` writes it where it is missing.
fn fixture(name: &str, row: &ProfileRow) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    if !path.exists() && std::env::var_os("ENDCAP_UPDATE").is_some() {
        std::fs::write(&path, row.pack().unwrap()).unwrap();
    }
    std::fs::read(path).unwrap()
}

/// Checks that what `row` says more than `without` follows it, in the form of a fixture.
pub(crate) fn follows(row: &ProfileRow, without: &ProfileRow, name: &str) {
    let (packed, before) = (row.pack().unwrap(), without.pack().unwrap());
    // The version before reads as much as it knows, and leaves the rest alone.
    assert!(packed.starts_with(&before) && packed.len() > before.len());
    assert_eq!(&ProfileRow::unpack(&packed).unwrap(), row);
    assert_eq!(&ProfileRow::unpack(&before).unwrap(), without);
    let fixture = fixture(name, row);
    assert!(packed == fixture, "{name}: the form of what follows a row changed: that needs a version of its own");
    assert_eq!(&ProfileRow::unpack(&fixture).unwrap(), row);
    // What a later version may write there is left out, as that version leaves this one's out.
    assert_eq!(&ProfileRow::unpack(&[before.as_slice(), &[9, 1, 2, 3]].concat()).unwrap(), without);
    assert!(ProfileRow::unpack(&[before.as_slice(), &[1, 200]].concat()).is_err(), "damage is an answer");
}

/// Takes what is told of a person's segments: nobody enters twice, nor leaves without having come.
pub(crate) fn hear(told: &mut BTreeSet<(usize, SegmentId)>, person: usize, changes: MembershipChanges) {
    for gone in changes.dropped {
        told.remove(&(person, gone));
    }
    let names = |changes: Vec<MembershipChange>| changes.into_iter().map(move |change| (person, change.segment));
    for change in names(changes.entered) {
        assert!(told.insert(change.clone()), "{change:?} came twice");
    }
    for change in names(changes.left) {
        assert!(told.remove(&change), "{change:?} left without having come");
    }
}

/// Moves a fragment from a person to another one, with what is counted of it. Whether it was there.
pub(crate) fn move_fragment(
    rows: &mut [ProfileRow],
    (from, to): (usize, usize),
    fragment: &FragmentId,
    version: u64,
) -> bool {
    if from == to || !rows[from].fragments.contains_key(fragment) {
        return false;
    }
    let profile = rows[to].id.clone();
    let assignment = Assignment { profile, link_strength: LinkStrength::Proved, version };
    let Reassigned::Leaves(leaving) = rows[from].reassign(fragment, &assignment) else { panic!("it leaves") };
    let counts = rows[from].occurrences.remove(fragment);
    assert!(rows[to].absorb(fragment, *leaving));
    rows[to].occurrences.extend(counts.map(|counts| (fragment.clone(), counts)));
    true
}
