//! Who has an anonymous ID: how that is stored beside a fragment, and what a batch proves.

use endcap_engine::held_id::{Asking, HeldId, Inherited};
use endcap_engine::link_settling;
use endcap_engine::visit::{Visit, proves_person};
use endcap_identity::possession::Holder;
use endcap_identity::{
    Assertion, Assignment, CommonName, Evidence, FragmentId, Identifier, IdentityRules, LinkStrength, Namespace,
    Possession, Shown, StatedLink, Witness,
};
use endcap_profile::evidence_policy::EvidencePolicy;
use endcap_profile::resolution::Resolution;
use endcap_profile::row::LatestFragment;
use endcap_profile::{Fragment, ProfileRow};
use endcap_protocol::{MessageId, ProfileId};
use endcap_validation::Trust;
use serde_json::json;

use crate::support::{
    BROWSER, NOW, SECRET, after, anonymous, batch, claimed, event, first, follows, ingested, page, proved, receive,
    stranger, viewed,
};

/// A row whose browser showed its token.
fn bound() -> ProfileRow {
    let mut row = after(&[page("p1", NOW, ""), viewed("p2", NOW + 1, "boot", "shoes")]);
    let held = Possession { generation: 3, holder: Holder::TokenHolder, changed_at: NOW, ..Possession::default() };
    let possession = Possession { is_proved: true, ..held };
    assert!(row.note_possession(&first(BROWSER), &possession));
    row
}

/// A row of which the shop's server states that its browser is somebody's, and whose browser told of an order.
fn linked() -> ProfileRow {
    let mut row = bound();
    let (at, mut possession) = (first(BROWSER), row.possessions[&first(BROWSER)].clone());
    possession.links.state(link("ann", Some("1003")));
    possession.links.name(CommonName::Order("1004".to_owned()));
    possession.is_of_server = true;
    assert!(row.note_possession(&at, &possession));
    row
}

fn link(user: &str, order: Option<&str>) -> StatedLink {
    let witness = Witness { at: NOW, message_id: "w1".to_owned(), source: "shop".to_owned() };
    let identifier = Identifier::new(Namespace::UserId, user).unwrap();
    StatedLink { identifier, order: order.map(str::to_owned), witness }
}

/// How the shop judges what its pages send.
fn shops<'a>(secrets: &'a [Vec<u8>], rules: &'a IdentityRules) -> EvidencePolicy<'a> {
    EvidencePolicy { secrets, now: NOW, trust: Trust::Claim, source: "shop", rules, stated: None }
}

#[test]
fn the_state_follows_the_row_where_a_version_without_tokens_does_not_look() {
    let row = bound();
    let mut without = row.clone();
    without.possessions.clear();
    follows(&row, &without, "profile-row-v3-possession-v1.bin");
}

#[test]
fn what_a_server_states_follows_where_the_version_before_does_not_look() {
    let (row, without) = (linked(), bound());
    follows(&row, &without, "profile-row-v3-possession-v1-links-v1.bin");
}

#[test]
fn who_had_a_browser_before_follows_where_the_version_before_does_not_look() {
    let (mut row, without) = (linked(), linked());
    row.possessions.get_mut(&first(BROWSER)).unwrap().people_before = 3;
    row.latest = Some(latest("browser-1~l4", "browser-1~l4", 4, 0));
    follows(&row, &without, "profile-row-v3-possession-v1-links-v1-successions-v1.bin");
    // The row that a browser began as may have nothing else to say.
    let mut pointing = after(&[viewed("v", NOW, "boot", "shoes")]);
    pointing.latest.clone_from(&row.latest);
    assert_eq!(ProfileRow::unpack(&pointing.pack().unwrap()).unwrap(), pointing);
}

fn latest(fragment: &str, profile: &str, people_before: u32, version: u64) -> LatestFragment {
    let (fragment, profile) = (FragmentId::parse(fragment).unwrap(), ProfileId::parse(profile).unwrap());
    LatestFragment { fragment, profile, people_before, version }
}

#[test]
fn the_profile_that_a_browser_began_as_leads_to_its_latest_fragment() {
    let (browser, mut row) = (anonymous(BROWSER), stranger());
    let own = FragmentId::first(&browser);
    row.fragments.insert(own.clone(), Fragment { successor: Some(next("2")), ..Fragment::begun(&browser, NOW) });
    let leads = |row: &ProfileRow, wanted: Option<&FragmentId>| match row.resolve(&browser, wanted).unwrap() {
        Resolution::Next { profile, fragment, .. } => (profile.into_string(), fragment.as_str().to_owned()),
        other => panic!("{other:?}"),
    };
    let fragment = |name: &str| next(name).as_str().to_owned();
    assert_eq!(leads(&row, None), (fragment("2"), fragment("2")));
    for (name, profile, people_before, version, expected) in [
        ("9", "ann", 9, 0, "9"),
        ("4", "bob", 4, 7, "9"), // An earlier person's comes late.
        ("9", "cy", 9, 1, "9"),  // It moved to another profile,
        ("9", "dan", 9, 1, "9"), // once.
    ] {
        row.note_latest(&latest(&fragment(name), profile, people_before, version));
        let place = if version == 1 { "cy" } else { "ann" };
        for wanted in [None, Some(&own)] {
            assert_eq!(leads(&row, wanted), (place.to_owned(), fragment(expected)), "{name} at {profile}");
        }
    }
    // Who is sent to a fragment in between goes on from there as ever.
    row.fragments.insert(next("5"), Fragment { successor: Some(next("6")), ..Fragment::begun(&browser, NOW) });
    assert_eq!(leads(&row, Some(&next("5"))), (fragment("6"), fragment("6")));
    // Where the latest is here and closed, what that one knows goes along.
    let closed = Fragment { successor: Some(next("10")), ..Fragment::begun(&browser, NOW) };
    let mut home = ProfileRow { fragments: [(own.clone(), row.fragments[&own].clone())].into(), ..stranger() };
    home.fragments.insert(next("9"), closed);
    home.latest = Some(latest(&fragment("9"), BROWSER, 9, 2));
    let on = Resolution::Next { profile: next("10").home().unwrap(), fragment: next("10"), passed: next("9") };
    assert_eq!((home.resolve(&browser, None), home.resolve(&browser, Some(&own))), (Ok(on.clone()), Ok(on)));
    // One that came home is found there.
    row.fragments.insert(next("9"), Fragment::begun(&browser, NOW));
    row.latest = Some(latest(&fragment("9"), BROWSER, 9, 2));
    assert_eq!(row.resolve(&browser, None), Ok(Resolution::Here(next("9"))));
    row.erase(&[next("9")].into());
    assert_eq!(leads(&row, None), (fragment("9"), fragment("9")), "to the tombstone of who was erased");
}

/// A fragment that a login began.
fn next(login: &str) -> FragmentId {
    first(BROWSER).next(&MessageId::parse(login).unwrap())
}

#[test]
fn a_profile_tells_where_a_fragment_went_unless_it_is_the_one_that_the_browser_began_as() {
    let browser = anonymous(BROWSER);
    let mut home = stranger();
    let own = latest(BROWSER, "ann", 0, 1);
    assert!(!home.tells_of(&browser, &own) && home.latest.is_none(), "its pointer says the same");
    let later = latest(next("2").as_str(), "ann", 1, 1);
    assert!(!home.tells_of(&browser, &later));
    assert_eq!(home.latest.as_ref(), Some(&later));
    let mut other = ProfileRow::new(ProfileId::parse("ann").unwrap(), NOW);
    assert!(other.tells_of(&browser, &own) && other.latest.is_none());
    // A fragment that somebody closed, or a server's, is nobody's latest.
    let at = next("2");
    let fragment = Fragment::begun(&browser, NOW);
    let of = |fragment: &Fragment| LatestFragment::of(&at, fragment, None, (&other.id, 1)).is_some();
    assert!(of(&fragment));
    assert!(!of(&Fragment { successor: Some(next("3")), ..fragment.clone() }) && !of(&Fragment::default()));
    home.fragments.extend([(first(BROWSER), fragment.clone()), (at.clone(), fragment)]);
    assert!(home.latest_of(&first(BROWSER)).is_none(), "everybody finds the first one");
    assert_eq!(home.latest_of(&at).map(|(_, latest)| latest.profile), Some(home.id.clone()));
}

#[test]
fn a_stated_link_is_a_claim_until_the_browser_says_the_same() {
    let rules = IdentityRules::default();
    let policy =
        EvidencePolicy { secrets: &[], now: NOW, trust: Trust::Fact, source: "shop", rules: &rules, stated: None };
    let (at, mut row) = (first(BROWSER), bound());
    row.fragments.get_mut(&at).unwrap().user = None;
    let mut possession = row.possessions[&at].clone();
    let said = |visit: &Visit| -> Vec<Trust> {
        visit.assertion.iter().flat_map(|assertion| &assertion.said).map(|evidence| evidence.trust).collect()
    };
    let mut visit = Visit::default();
    link_settling::state(&mut row, &at, &[link("ann", Some("1003"))], &mut possession, &policy, &mut visit);
    assert_eq!((said(&visit), row.users().len()), (vec![Trust::Claim], 0));
    let mut visit = Visit::default();
    link_settling::state(&mut row, &at, &[link("ann", Some("1003"))], &mut possession, &policy, &mut visit);
    assert!(visit.assertion.is_none(), "known");
    let mut visit = Visit { named: vec![CommonName::Order("1004".to_owned())], ..Visit::default() };
    link_settling::settle(&mut row, &at, &mut possession, &mut visit);
    assert!(visit.assertion.is_none(), "another order");
    let mut visit = Visit { named: vec![CommonName::Order("1003".to_owned())], ..Visit::default() };
    link_settling::settle(&mut row, &at, &mut possession, &mut visit);
    assert_eq!((said(&visit), row.users()), (vec![Trust::Fact], ["ann"].into()));
    // A user who is proved is not taken from the browser by such a link.
    let mut visit = Visit::default();
    possession.links.name(CommonName::Order("1005".to_owned()));
    link_settling::state(&mut row, &at, &[link("eve", Some("1005"))], &mut possession, &policy, &mut visit);
    assert_eq!((said(&visit), row.users()), (vec![Trust::Claim], ["ann"].into()));
}

#[test]
fn what_confirms_a_servers_word_is_no_proof_and_leaves_the_token_as_it_is() {
    let (at, rules, secrets) = (first(BROWSER), IdentityRules::default(), [SECRET.to_vec()]);
    let visit = |event| {
        let mut row = bound();
        row.fragments.get_mut(&at).unwrap().user = None;
        let mut possession = Possession { is_proved: false, ..row.possessions[&at].clone() };
        possession.links.state(link("ann", None));
        let mut batch = ingested(&batch(&[event]), NOW);
        let policy = shops(&secrets, &rules);
        let shown = Shown { generation: Some(3), keeps_token: true, ..Shown::default() };
        let asking = Asking { shown: Some(&shown), inherited: None, links: &[] };
        let held = HeldId { asking, possession };
        let (visit, after) = held.apply(&mut row, &at, &mut batch, &policy, NOW, &[]);
        assert_eq!(row.users(), ["ann"].into());
        assert_eq!(visit.assertion.unwrap().said[0].trust, Trust::Fact);
        (visit.proved, after.generation)
    };
    assert_eq!(visit(claimed("c1", NOW, "ann", &json!({}))), (false, 3));
    let (proved, generation) = visit(proved("c1", NOW, "ann", &json!({})));
    assert!(proved && generation > 3);
}

#[test]
fn a_link_that_is_listed_and_then_counts_is_told_twice() {
    let job = |trust| {
        let witness = Witness { at: NOW, message_id: "w1".to_owned(), source: "shop".to_owned() };
        let identifier = Identifier::new(Namespace::UserId, "ann").unwrap();
        let said = vec![Evidence { identifier, trust, witness }];
        let assertion = Some(Assertion { said, ..Assertion::new(first(BROWSER)) });
        Visit { assertion, ..Visit::default() }.link_job().unwrap()
    };
    assert_ne!(job(Trust::Claim), job(Trust::Fact));
    assert_eq!(Visit::default().link_job(), None);
}

#[test]
fn a_login_has_the_fragment_that_begins_with_it_and_no_other_does() {
    let (rules, secrets, row) = (IdentityRules::default(), [SECRET.to_vec()], stranger());
    // Names that are too long are hashed.
    let (before, login) = (first(&"b".repeat(80)), "l".repeat(30));
    let next = before.next(&MessageId::parse(&login).unwrap());
    let shown = Shown { keeps_token: true, ..Shown::default() };
    let apart = Shown { apart: true, ..shown.clone() };
    let held = |holder, follows| {
        let possession = Possession { generation: 3, holder, ..Possession::default() };
        Inherited { possession, follows }
    };
    let of_browser = held(Holder::TokenHolder, Some(before.clone()));
    let proves = |shown: &Shown, row: &ProfileRow, inherited: &Inherited, event| {
        let batch = ingested(&batch(&[page("p", NOW, ""), event]), NOW);
        let policy = shops(&secrets, &rules);
        Asking { shown: Some(shown), inherited: Some(inherited), links: &[] }.proves(row, &next, &batch, &policy)
    };
    let right = || proved(&login, NOW, "bob", &json!({}));
    let claim = || claimed(&login, NOW, "bob", &json!({}));
    assert!(proves(&shown, &row, &of_browser, right()));
    assert!(!proves(&shown, &row, &of_browser, proved("l3", NOW, "bob", &json!({}))), "another login");
    assert!(!proves(&shown, &row, &of_browser, claim()), "nothing proves it");
    assert!(proves(&apart, &row, &of_browser, claim()), "who is apart shows message IDs");
    assert!(!proves(&shown, &row, &held(Holder::Vendor, Some(before)), right()), "another vendor's client had it");
    assert!(!proves(&shown, &row, &held(Holder::TokenHolder, None), right()), "the version before says nothing of it");
    let mut begun = row.clone();
    begun.fragments.insert(next.clone(), Fragment::default());
    assert!(!proves(&shown, &begun, &of_browser, right()), "it has begun");
}

#[test]
fn an_open_id_takes_no_byte() {
    let mut row = after(&[page("p1", NOW, "")]);
    let before = row.pack().unwrap();
    assert!(!row.note_possession(&first(BROWSER), &Possession::default()));
    assert_eq!(row.pack().unwrap(), before);
}

#[test]
fn the_state_leaves_with_its_fragment() {
    let away =
        Assignment { profile: ProfileId::parse("elsewhere").unwrap(), link_strength: LinkStrength::Proved, version: 1 };
    let mut row = bound();
    row.reassign(&first(BROWSER), &away);
    assert!(row.possessions.is_empty());
    let mut row = bound();
    row.erase(&[first(BROWSER)].into());
    assert!(row.possessions.is_empty());
}

#[test]
fn a_visit_says_when_the_person_proved_who_they_are_and_only_then() {
    let login = |id: &str, name: &str| batch(&[proved(id, NOW, name, &json!({}))]);
    let mut row = stranger();
    assert!(!receive(&mut row, &batch(&[claimed("c1", NOW, "ann", &json!({}))]), NOW).proved);
    assert!(receive(&mut row, &login("l1", "ann"), NOW).proved);
    assert!(!receive(&mut row, &login("l1", "ann"), NOW).proved, "a retry");
    let out = receive(&mut row, &batch(&[event("reset", "r1", NOW, &json!({}))]), NOW);
    assert!(out.reset && !out.proved);
}

#[test]
fn of_a_login_and_a_logout_in_one_batch_the_later_counts() {
    let out = || event("reset", "r1", NOW, &json!({}));
    let login = || proved("l1", NOW, "ann", &json!({}));
    for (events, reset) in [([login(), out()], true), ([out(), login()], false)] {
        let visit = receive(&mut stranger(), &batch(&events), NOW);
        assert_eq!((visit.proved, visit.reset), (true, reset));
    }
}

#[test]
fn what_a_version_before_brought_along_is_read() {
    let held = Possession { generation: 3, holder: Holder::TokenHolder, changed_at: NOW, ..Possession::default() };
    let text = serde_json::to_string(&held).unwrap();
    let inherited: Inherited = serde_json::from_str(&text).unwrap();
    assert_eq!(inherited, Inherited { possession: held.clone(), follows: None });
    // And the other way round.
    let text = serde_json::to_string(&Inherited { follows: Some(first(BROWSER)), ..inherited }).unwrap();
    assert_eq!(serde_json::from_str::<Possession>(&text).unwrap(), held);
}

#[test]
fn only_a_proof_of_the_profiles_own_user_is_possession_of_it() {
    let mut row = stranger();
    receive(&mut row, &batch(&[proved("l1", NOW, "ann", &json!({}))]), NOW);
    let rules = IdentityRules::default();
    let secrets = [SECRET.to_vec()];
    let proves = |row: &ProfileRow, event| {
        let batch = ingested(&batch(&[page("p", NOW, ""), event]), NOW);
        let policy = shops(&secrets, &rules);
        proves_person(row, &batch, &policy)
    };
    assert!(proves(&row, proved("x", NOW, "ann", &json!({}))));
    assert!(!proves(&row, proved("x", NOW, "eve", &json!({}))), "somebody else's login is not theirs");
    assert!(!proves(&row, claimed("x", NOW, "ann", &json!({}))));
    assert!(!proves(&stranger(), proved("x", NOW, "ann", &json!({}))), "nobody proved anything here before");
}
