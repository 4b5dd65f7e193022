//! Lists: segments onto which people are put by name.

use std::collections::BTreeMap;

use endcap_engine::visit::refresh;
use endcap_profile::device_context::DeviceContext;
use endcap_profile::memberships::Memberships;
use endcap_profile::occurrences::FragmentOccurrences;
use endcap_profile::row_lists::{ListedBy, Lists};
use endcap_protocol::SegmentId;
use serde_json::json;

use crate::support::{BROWSER, NOW, after, first, follows, shop, viewed, with_segments};

#[test]
fn marks_of_lists_follow_the_row_where_the_version_before_does_not_look() {
    let mut row = after(&[viewed("v", NOW, "boot", "shoes")]);
    row.memberships = Some(Memberships { judged: 7, held: BTreeMap::new() });
    row.occurrences.insert(first(BROWSER), FragmentOccurrences::begun(7));
    row.note_device(&first(BROWSER), Default::default(), NOW);
    row.devices.insert(first(BROWSER), DeviceContext { at: NOW, sender: Default::default() });
    let without = row.clone();
    let vip = SegmentId::parse("vip").unwrap();
    let lists = Lists { version: 7, born: [(vip.clone(), 7)].into() };
    assert!(row.set_listed(&vip, true, &lists, &ListedBy::default(), NOW));
    let name =
        "profile-row-v3-possession-v1-links-v1-successions-v1-memberships-v1-occurrences-v1-devices-v1-lists-v1.bin";
    follows(&row, &without, name);
}

#[test]
fn who_is_put_on_a_list_enters_its_segment_and_others_that_ask_for_it() {
    let shop = with_segments(
        shop(&[], &json!({})),
        &[("vip", "listed(\"vip\")"), ("lost-vip", "segment(\"vip\") and last_seen before 1 days ago")],
    );
    let mut row = after(&[viewed("v", NOW, "boot", "shoes")]);
    let held = |row: &endcap_profile::ProfileRow| {
        let held = row.memberships.iter().flat_map(|held| held.held.keys());
        held.map(|id| id.as_str().to_owned()).collect::<Vec<_>>()
    };
    refresh(&mut row, &shop, NOW);
    assert_eq!(held(&row), [""; 0]);
    let (vip, lists) = (SegmentId::parse("vip").unwrap(), shop.segments.lists());
    assert!(row.set_listed(&vip, true, &lists, &ListedBy::default(), NOW + 1));
    let changes = refresh(&mut row, &shop, NOW + 1).segments;
    assert_eq!((held(&row), changes.entered.len()), (vec!["vip".to_owned()], 1));
    refresh(&mut row, &shop, NOW + 90_000_000);
    assert_eq!(held(&row), ["lost-vip", "vip"]);
    assert!(row.set_listed(&vip, false, &lists, &ListedBy::default(), NOW + 90_000_001));
    refresh(&mut row, &shop, NOW + 90_000_001);
    assert_eq!(held(&row), [""; 0]);
}
