//! What a shop's server says about who somebody is, against what anybody else says.

use endcap_engine::visit::Visit;
use endcap_events::ingest::ingest_as;
use endcap_events::ingest::rejection::RejectCode;
use endcap_identity::IdentityRules;
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{DAY_MS, UnixMillis};
use endcap_validation::Trust;
use serde_json::{Value, json};

use crate::support::{BROWSER, NOW, applied, batch, claimed, event, fragment, said, stranger, user, users, with};

/// Applies a batch of a sender who is believed so far.
fn told_under(row: &mut ProfileRow, events: &[Value], trust: Trust, rules: &IdentityRules) -> Visit {
    let mut read = ingest_as(batch(events).to_string().as_bytes(), NOW, trust).unwrap();
    assert_eq!(read.rejected, []);
    applied(row, &mut read, NOW, rules)
}

fn told(row: &mut ProfileRow, events: &[Value], trust: Trust) -> Visit {
    told_under(row, events, trust, &IdentityRules::default())
}

/// A track call that says whose it is.
fn of_user(id: &str, user_id: &str) -> Value {
    event("track", id, NOW, &json!({"name": "Quiz Finished", "user_id": user_id}))
}

fn pairs(said: &[(&str, Trust)]) -> Vec<(String, Trust)> {
    said.iter().map(|(text, trust)| ((*text).to_owned(), *trust)).collect()
}

#[test]
fn a_servers_word_is_proof_and_a_pages_is_a_claim() {
    let identify = claimed("a", NOW, "ann", &json!({"email": "Ann@Mail.example"}));
    let mut row = stranger();
    let visit = told(&mut row, std::slice::from_ref(&identify), Trust::Fact);
    assert_eq!(said(&visit), pairs(&[("user_id:ann", Trust::Fact), ("email:ann@mail.example", Trust::Fact)]));
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    assert!(fragment(&row).claims.is_empty());
    let mut row = stranger();
    let visit = told(&mut row, &[identify], Trust::Claim);
    assert_eq!(said(&visit), pairs(&[("user_id:ann", Trust::Claim), ("email:ann@mail.example", Trust::Claim)]));
    assert_eq!((users(&row, Trust::Fact), users(&row, Trust::Claim)), (vec![], vec!["ann"]));
    assert_eq!(fragment(&row).claims[0].user_id, user("ann"));
}

#[test]
fn where_only_proof_links_a_claim_is_noted_and_nobody_is_told() {
    let mut row = stranger();
    let rules = crate::support::proof_only();
    let events = [claimed("a", NOW, "ann", &json!({"email": "a@b.example"})), of_user("b", "bob")];
    let visit = told_under(&mut row, &events, Trust::Claim, &rules);
    assert_eq!((visit.assertion, visit.succession), (None, None));
    assert!(users(&row, Trust::Claim).is_empty(), "a browser is nobody's");
    let named: Vec<&str> = fragment(&row).claims.iter().map(|claim| claim.user_id.as_str()).collect();
    assert_eq!(named, ["ann", "bob"]);
}

#[test]
fn any_call_of_a_server_says_whose_it_is() {
    let mut row = stranger();
    assert_eq!(said(&told(&mut row, &[of_user("a", "ann")], Trust::Fact)), pairs(&[("user_id:ann", Trust::Fact)]));
    let visit = told(&mut row, &[of_user("b", "ann")], Trust::Fact);
    assert_eq!((visit.assertion, visit.accepted.len()), (None, 1), "the graph knows or will");
    let visit = told(&mut row, &[of_user("c", "bob")], Trust::Fact);
    assert_eq!(visit.succession.map(|(_, events)| events.len()), Some(1), "another person uses the browser");
    let mut row = stranger();
    assert_eq!(said(&told(&mut row, &[of_user("a", "ann")], Trust::Claim)), pairs(&[("user_id:ann", Trust::Claim)]));
}

#[test]
fn a_claim_that_is_proved_later_is_told_again() {
    let mut row = stranger();
    assert_eq!(said(&told(&mut row, &[of_user("a", "ann")], Trust::Claim)), pairs(&[("user_id:ann", Trust::Claim)]));
    assert_eq!(told(&mut row, &[of_user("b", "ann")], Trust::Claim).assertion, None);
    let proof = told(&mut row, &[of_user("c", "ann")], Trust::Fact);
    assert_eq!((said(&proof), proof.succession), (pairs(&[("user_id:ann", Trust::Fact)]), None));
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
    assert_eq!(told(&mut row, &[of_user("d", "ann")], Trust::Claim).assertion, None, "a claim takes nothing back");
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
}

#[test]
fn claims_leave_room_for_proofs() {
    let mut row = stranger();
    let emails: Vec<Value> = (0..50)
        .map(|n| claimed(&format!("m{n}"), NOW, "ann", &json!({"email": format!("a{n}@mail.example")})))
        .collect();
    told(&mut row, &emails, Trust::Claim);
    assert_eq!(said(&told(&mut row, &[of_user("p", "ann")], Trust::Fact)), pairs(&[("user_id:ann", Trust::Fact)]));
}

#[test]
fn an_event_from_before_somebody_logged_in_says_nothing_about_them() {
    let mut row = stranger();
    told(&mut row, &[of_user("a", "ann")], Trust::Fact);
    // Bob's login on the same browser was held up on the way.
    let late = event("identify", "b", NOW - 5, &json!({"user_id": "bob", "traits": {"email": "bob@mail.example"}}));
    let visit = told(&mut row, &[late], Trust::Fact);
    assert_eq!((visit.accepted.len(), visit.succession, visit.assertion), (1, None, None));
    assert_eq!(users(&row, Trust::Fact), ["ann"]);
}

#[test]
fn an_alias_joins_two_names_and_hands_nothing_over() {
    let alias = |id| with(claimed(id, NOW, "second", &json!({})), "previous_id", json!("first"));
    let mut row = stranger();
    told(&mut row, &[of_user("z", "first")], Trust::Fact);
    let visit = told(&mut row, &[alias("a")], Trust::Fact);
    assert_eq!((said(&visit), visit.succession), (pairs(&[("user_id:second", Trust::Fact)]), None));
    let aliases = visit.assertion.unwrap().aliases;
    assert_eq!((aliases[0].user_id.as_str(), aliases[0].previous_id.as_str()), ("second", "first"));
    // A page that says the same only claims: it is no alias, and changes nothing.
    let visit = told(&mut row, &[alias("b")], Trust::Claim);
    assert_eq!((visit.assertion, visit.succession), (None, None));
}

#[test]
fn placeholders_begin_nothing_and_name_nobody() {
    let mut row = stranger();
    told(&mut row, &[of_user("a", "ann")], Trust::Fact);
    for (id, name) in [("b", "guest"), ("c", "null"), ("d", "0"), ("e", "Undefined")] {
        for (letter, trust) in [("f", Trust::Fact), ("c", Trust::Claim)] {
            let visit = told(&mut row, &[of_user(&format!("{id}{letter}"), name)], trust);
            assert_eq!((visit.succession, visit.assertion, visit.accepted.len()), (None, None, 1), "{name}");
        }
    }
    assert!(fragment(&row).claims.is_empty());
}

#[test]
fn only_a_server_says_that_a_browser_is_another_browser() {
    let names = |trust| {
        let call = event("track", "a", NOW, &json!({"name": "Seen", "identifiers": {"anonymous_id": "browser-2"}}));
        let mut row = stranger();
        said(&told(&mut row, &[call], trust))
    };
    assert_eq!(names(Trust::Fact), pairs(&[("anonymous_id:browser-2", Trust::Fact)]));
    assert_eq!(names(Trust::Claim), []);
}

#[test]
fn only_a_server_may_speak_of_years_ago() {
    let years = 3 * 365 * DAY_MS;
    let read = |at: UnixMillis, trust| {
        let events = [event("track", "a", at, &json!({"name": "Quiz Finished"}))];
        ingest_as(batch(&events).to_string().as_bytes(), NOW, trust).unwrap()
    };
    assert_eq!(read(NOW - years, Trust::Fact).events[0].at, NOW - years);
    assert_eq!(read(NOW - years, Trust::Claim).rejected[0].code, RejectCode::TooLate);
    assert_eq!(read(NOW + DAY_MS, Trust::Fact).rejected[0].code, RejectCode::InFuture);
}

#[test]
fn what_is_known_of_somebody_can_be_told_without_a_name() {
    let mut row = stranger();
    told(&mut row, &[event("traits", "a", NOW, &json!({"traits": {"plan": "gold"}}))], Trust::Claim);
    assert!(Person::fold(&row.fragments).traits.contains_key("plan"));
    assert!(fragment(&row).claims.is_empty());
}

#[test]
fn no_batch_can_say_of_itself_that_it_is_to_be_believed() {
    let mut row = stranger();
    let sent = with(batch(&[claimed("a", NOW, "ann", &json!({}))]), "trust", json!("fact"));
    let mut read = ingest_as(sent.to_string().as_bytes(), NOW, Trust::Claim).unwrap();
    let visit = applied(&mut row, &mut read, NOW, &IdentityRules::default());
    assert_eq!(said(&visit), pairs(&[("user_id:ann", Trust::Claim)]));
    assert!(row.fragments[BROWSER].user.as_ref().is_some_and(|named| named.trust == Trust::Claim));
}
