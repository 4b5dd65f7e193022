//! Who sends: robots, privacy signals, clocks that are wrong, and batches that come again days later.

use endcap_events::ingest::consent::{ConsentSource, Gpc};
use endcap_events::ingest::rejection::RejectCode;
use endcap_events::ingest::{Signals, ingest, ingest_from};
use endcap_protocol::{Consent, DAY_MS};
use serde_json::json;

use crate::support::{BROWSER, NOW, batch, fragment, ingested, page, receive, stranger, track, viewed, with};

#[test]
fn what_a_robot_sends_is_refused_unread_and_without_a_trace() {
    let sent = batch(&[viewed("a", NOW, "p", "c"), json!("no event at all")]).to_string();
    let robot = Signals { robot: true, ..Signals::default() };
    let read = ingest_from(sent.as_bytes(), NOW, robot).unwrap();
    assert!(read.events.is_empty());
    assert!(read.rejected.iter().all(|rejection| rejection.code == RejectCode::Bot));
    assert!(read.refused.iter().all(|refused| refused.raw.is_empty() && refused.subject.is_empty()));
    assert_eq!((read.rejected.len(), read.refused.len()), (2, 2));
}

#[test]
fn a_privacy_signal_takes_from_consent_and_says_so_only_where_it_took_something() {
    let sent = with(batch(&[page("a", NOW, "")]), "consent_source", json!("banner")).to_string();
    let signal = |gpc| Signals { gpc, ..Signals::default() };
    let read = |gpc| ingest_from(sent.as_bytes(), NOW, signal(gpc)).unwrap();
    let marketing = read(Some(Gpc::Marketing));
    assert_eq!(marketing.consent, Some(Consent { marketing: false, ..Consent::GRANTED }));
    assert_eq!((marketing.consent_source, marketing.events.len()), (ConsentSource::Gpc, 1));
    let everything = read(Some(Gpc::Analytics));
    assert_eq!((everything.consent, everything.events.len()), (Some(Consent::DENIED), 0));
    assert_eq!(read(None).consent_source, ConsentSource::Banner);
    let refusing = with(batch(&[]), "consent", json!({"analytics": true})).to_string();
    let read = ingest_from(refusing.as_bytes(), NOW, signal(Some(Gpc::Marketing))).unwrap();
    assert_eq!(read.consent_source, ConsentSource::Api, "marketing was refused already");
}

#[test]
fn what_consent_forbids_is_not_kept_for_later() {
    let sent = with(batch(&[viewed("a", NOW, "secret", "c")]), "consent", json!({}));
    let read = ingested(&sent, NOW);
    let [refused] = read.refused.as_slice() else { panic!("{:?}", read.refused) };
    assert_eq!((refused.code, refused.raw.as_str(), refused.context.as_str()), (RejectCode::NoConsent, "", "{}"));
    assert!(refused.subject.is_empty());
}

#[test]
fn a_refused_event_carries_what_is_needed_to_take_it_in_again() {
    let bad = track("a", NOW - DAY_MS, "Order Completed", &json!({}));
    let sent =
        with(with(batch(std::slice::from_ref(&bad)), "sent_at", json!(NOW - 5 * 3_600_000)), "device_id", json!("d"));
    let read = ingested(&sent, NOW);
    let refused = &read.refused[0];
    assert_eq!((refused.path.as_str(), refused.subject.as_str()), ("properties.order_id", BROWSER));
    let repaired = refused.body().unwrap().replace("\"properties\":{}", "\"properties\":{\"order_id\":\"p\"}");
    let again = ingest(repaired.as_bytes(), refused.received_at).unwrap();
    assert_eq!(again.device_id, read.device_id);
    assert_eq!(again.consent, read.consent);
    assert_eq!(again.events[0].at, NOW - DAY_MS + 5 * 3_600_000, "the clock is corrected as it was then");
}

#[test]
fn a_clock_that_is_wrong_is_corrected_by_when_the_batch_was_sent() {
    for wrong in [-3 * DAY_MS, -3_600_000, 3_600_000, 400 * DAY_MS] {
        let sent = with(batch(&[viewed("a", NOW + wrong - 60_000, "p", "c")]), "sent_at", json!(NOW + wrong));
        let read = ingested(&sent, NOW);
        assert_eq!(read.events.first().map(|event| event.at), Some(NOW - 60_000), "wrong by {wrong} ms");
    }
}

#[test]
fn a_retry_after_almost_seven_days_is_a_duplicate() {
    let mut row = stranger();
    let sent = batch(&[viewed("a", NOW, "p", "c")]);
    assert_eq!(receive(&mut row, &sent, NOW).accepted, ["a"]);
    for tenth in 1..=69 {
        let busy = batch(&[viewed(&format!("b{tenth}"), NOW + tenth * DAY_MS / 10, "q", "c")]);
        receive(&mut row, &busy, NOW + tenth * DAY_MS / 10);
    }
    let later = NOW + 69 * DAY_MS / 10;
    assert_eq!(receive(&mut row, &sent, later).duplicate, ["a"]);
    assert_eq!(fragment(&row).accepted, 70);
    let read = ingested(&sent, NOW + 7 * DAY_MS + 1);
    assert_eq!(read.rejected[0].code, RejectCode::TooLate, "and after that it is refused for its age");
}
