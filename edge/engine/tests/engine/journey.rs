//! The cart left behind: who gets the message, when, and what becomes of it.

use endcap_engine::journey::{CART_LEFT, cart_left_due, cart_left_text};
use endcap_engine::shop::Settings;
use endcap_identity::{Assignment, LinkStrength};
use endcap_profile::{ProfileRow, Reassigned};
use endcap_protocol::{DAY_MS, ProfileId, UnixMillis};
use endcap_push::{Outcome, Report};
use endcap_targeting::Stage;
use serde_json::{Value, json};

use crate::support::{
    BROWSER, NOW, added, batch, first, fragment, ordered, receive, settled, shop, stranger, track, with,
};

/// A New customer with a subscription, everything agreed to, who put boots into the cart at [`NOW`].
fn left() -> ProfileRow {
    let mut row = stranger();
    receive(&mut row, &batch(&[ordered("o", NOW - DAY_MS, "o1", "clog"), added("a", NOW, "boot", "shoes")]), NOW);
    row.subscriptions = 1;
    row
}

/// When the message is due, in milliseconds after [`NOW`].
fn due(mut row: ProfileRow, settings: &Value, now: UnixMillis) -> Option<UnixMillis> {
    let settings: Settings = serde_json::from_value(json!({"cart_push": settings})).unwrap();
    let person = settled(&mut row, now).person;
    cart_left_due(&row, &person, &settings.cart_push).map(|due| due - NOW)
}

#[test]
fn every_gate_has_to_be_open() {
    type Change = fn(&mut ProfileRow);
    let half_hour = Some(1_800_000);
    let cases: [(&str, Change, Value, Option<UnixMillis>); 14] = [
        ("as it should be", |_| {}, json!({}), half_hour),
        ("sooner, as in a demo", |_| {}, json!({"after_seconds": 2}), Some(2000)),
        ("switched off", |_| {}, json!({"enabled": false}), None),
        ("nobody to reach", |row| row.subscriptions = 0, json!({}), None),
        ("no consent to marketing", |row| send(row, &refused(json!([]))), json!({}), None),
        ("the cart emptied", |row| send(row, &batch(&[removed()])), json!({}), None),
        ("bought", |row| send(row, &batch(&[ordered("p", NOW + 1, "o2", "boot")])), json!({}), None),
        ("the wrong stage", |_| {}, json!({"stages": ["active"]}), None),
        ("no stage at all", |_| {}, json!({"stages": []}), None),
        ("told already", |row| row.push_decided(&first(BROWSER), "m", CART_LEFT, NOW + 5), json!({}), None),
        (
            "told about an earlier cart",
            |row| row.push_decided(&first(BROWSER), "m", CART_LEFT, NOW - 5),
            json!({}),
            Some(DAY_MS - 5),
        ),
        (
            "told about an earlier cart two days ago",
            |row| row.push_decided(&first(BROWSER), "m", CART_LEFT, NOW - 2 * DAY_MS),
            json!({}),
            half_hour,
        ),
        (
            "told about something else",
            |row| row.push_decided(&first(BROWSER), "m", "sale", NOW + 5),
            json!({}),
            Some(DAY_MS + 5),
        ),
        ("told, and the cart changed since", told_then_added, json!({}), Some(DAY_MS + 5)),
    ];
    for (what, change, settings, expected) in cases {
        let mut row = left();
        change(&mut row);
        assert_eq!(due(row, &settings, NOW + 20), expected, "{what}");
    }
}

fn send(row: &mut ProfileRow, batch: &Value) {
    receive(row, batch, NOW + 20);
}

fn removed() -> Value {
    track("r", NOW + 1, "Product Removed", &json!({"product_id": "boot", "quantity": 1}))
}

fn refused(events: Value) -> Value {
    with(with(batch(&[]), "events", events), "consent", json!({"analytics": true, "personalization": true}))
}

fn told_then_added(row: &mut ProfileRow) {
    row.push_decided(&first(BROWSER), "m", CART_LEFT, NOW + 5);
    send(row, &batch(&[added("b", NOW + 10, "clog", "shoes")]));
}

#[test]
fn looking_at_the_cart_is_no_change_of_it() {
    let look = |products: Value| batch(&[track("v", NOW + 15, "Cart Viewed", &json!({"products": products}))]);
    let boots = |quantity: u32| json!([{"product_id": "boot", "category": "shoes", "price": 10, "quantity": quantity}]);
    for (products, expected) in [(boots(1), 1_800_000), (boots(2), 1_800_015), (json!(null), 1_800_000)] {
        let mut row = left();
        send(&mut row, &look(products.clone()));
        assert_eq!(due(row, &json!({}), NOW + 20), Some(expected), "{products}");
    }
}

#[test]
fn only_the_stages_meant_get_it() {
    for stage in Stage::ALL {
        let settings: Settings = serde_json::from_value(json!({})).unwrap();
        assert_eq!(settings.cart_push.reaches(stage), matches!(stage, Stage::New | Stage::Active), "{stage:?}");
    }
    // A customer who fell asleep is left alone, by the passage of time only.
    assert_eq!(due(left(), &json!({}), NOW + 28 * DAY_MS), Some(1_800_000));
    assert_eq!(due(left(), &json!({}), NOW + 31 * DAY_MS), None);
}

#[test]
fn the_text_names_the_product_put_in_last() {
    let mut row = left();
    send(&mut row, &batch(&[added("b", NOW + 1, "cape", "coats"), added("c", NOW + 2, "cape", "coats")]));
    let person = settled(&mut row, NOW + 2).person;
    let text = |settings: Value| cart_left_text(&person, &shop(&[], &json!({"cart_push": settings})));
    let words = json!({"title": "{{count}} things", "body": "{{product}}, {{product}} and {{nothing}}"});
    assert_eq!(text(words), ("3 things".to_owned(), "The cape, The cape and {{nothing}}".to_owned()));
    // A product that the catalogue does not know has no title.
    let empty = endcap_engine::shop::Snapshot::empty();
    assert_eq!(cart_left_text(&person, &empty).1, "Something you liked is still in your cart.");
}

#[test]
fn outcomes_are_recorded_on_the_message() {
    let mut row = left();
    row.push_decided(&first(BROWSER), "m1", CART_LEFT, NOW);
    row.push_decided(&first(BROWSER), "m2", CART_LEFT, NOW + 1);
    row.push_answered("m1", Outcome::Retry { after_ms: 5 }, NOW + 2);
    row.push_answered("m1", Outcome::Sent, NOW + 3);
    row.push_answered("m1", Outcome::Gone, NOW + 4);
    row.push_answered("unknown", Outcome::Sent, NOW + 4);
    assert!(row.push_reported("m1", Report::Shown, NOW + 5));
    assert!(!row.push_reported("m1", Report::Shown, NOW + 6), "reported twice");
    assert!(row.push_reported("m1", Report::Clicked, NOW + 7));
    assert!(row.push_reported("m1", Report::Closed, NOW + 8));
    assert!(!row.push_reported("unknown", Report::Shown, NOW + 8));
    let pushes = &fragment(&row).pushes;
    let record = &pushes[0];
    assert_eq!(
        (record.outcome, record.answered_at),
        (Some(Outcome::Sent), Some(NOW + 4)),
        "sent to one browser is sent"
    );
    assert_eq!((record.shown_at, record.clicked_at, record.closed_at), (Some(NOW + 5), Some(NOW + 7), Some(NOW + 8)));
    assert_eq!((pushes[1].outcome, pushes[1].shown_at), (None, None));
}

#[test]
fn the_latest_twenty_messages_are_kept() {
    let mut row = left();
    (0..30).for_each(|n| row.push_decided(&first(BROWSER), &format!("m{n}"), CART_LEFT, NOW + n));
    let pushes = &fragment(&row).pushes;
    assert_eq!((pushes.len(), pushes[0].message_id.as_str()), (20, "m10"));
}

#[test]
fn a_message_goes_where_the_fragment_goes_whose_browser_it_was_sent_to() {
    let mut row = left();
    row.push_decided(&first(BROWSER), "m", CART_LEFT, NOW + 5);
    row.push_decided(&first("no-such-browser"), "n", CART_LEFT, NOW + 5);
    assert_eq!(row.pushes().map(|push| push.message_id.as_str()).collect::<Vec<_>>(), ["m"]);
    let away =
        Assignment { profile: ProfileId::parse("elsewhere").unwrap(), link_strength: LinkStrength::Proved, version: 1 };
    let Reassigned::Leaves(fragment) = row.reassign(&first(BROWSER), &away) else { panic!("it stays") };
    assert_eq!(row.pushes().count(), 0);
    let mut there = ProfileRow::new(away.profile, NOW);
    assert!(there.absorb(&first(BROWSER), *fragment));
    assert!(there.push_reported("m", Report::Clicked, NOW + 6));
}

#[test]
fn messages_to_a_browser_that_the_row_knows_by_another_name_are_remembered_by_its_first_fragment() {
    let row = left();
    assert_eq!(row.remembers_messages_to(&first(BROWSER)), Some(first(BROWSER)));
    assert_eq!(row.remembers_messages_to(&first("another-name")), Some(first(BROWSER)));
    let empty = ProfileRow::new(ProfileId::parse("nobody").unwrap(), NOW);
    assert_eq!(empty.remembers_messages_to(&first(BROWSER)), None);
}
