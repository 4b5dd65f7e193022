//! What has to hold: at every moment, and once everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use endcap_identity::graph::{assignment_of, find};
use endcap_identity::resolve::resolve;
use endcap_identity::{FragmentId, LinkStrength, MemoryGraph, Namespace, Verdict};
use endcap_profile::resolution::Resolution;
use endcap_profile::{Fragment, Person};
use endcap_protocol::{AnonymousId, MessageId, ProfileId};
use endcap_validation::Trust;

use crate::script::Script;
use crate::world::{Errand, World};

/// How failures begin where something unproved touched a proved person.
pub(crate) const UNPROVED: &str = "unproved";

pub(crate) type Checked = Result<(), String>;

pub(crate) fn hold(so: bool, what: impl FnOnce() -> String) -> Checked {
    if so { Ok(()) } else { Err(what()) }
}

/// Fragments that live in a row, or in the one errand that carries them.
fn live<'w>(world: &'w World<'_>) -> Vec<(&'w FragmentId, &'w Fragment)> {
    let mut live: Vec<_> = world.rows.values().flat_map(|row| &row.fragments).collect();
    let errands = world.errands.values().flat_map(BTreeMap::values);
    for errand in errands {
        let Errand::Bring(bring) = errand else { continue };
        let version = bring.fragment.assignment_version;
        let arrived = world.rows.get(&bring.to).is_some_and(|row| {
            let here = row.fragments.get(&bring.id).is_some_and(|held| held.assignment_version >= version);
            here || row.moved.get(&bring.id).is_some_and(|away| away.version >= version)
        });
        if !arrived {
            live.push((&bring.id, &bring.fragment));
        }
    }
    live
}

/// Under which ID an event is to be once and no more: where nobody asks whose an ID is, there are no others.
fn under<'w>(world: &World<'_>, browser: Option<&'w AnonymousId>) -> Option<&'w AnonymousId> {
    browser.filter(|_| world.script.asks)
}

/// Every accepted event is in exactly one live place.
pub(crate) fn always(world: &World<'_>) -> Checked {
    let (mut fragments, mut events) = (BTreeSet::new(), BTreeSet::new());
    for (id, fragment) in live(world) {
        hold(fragments.insert(id), || format!("{id:?} lives twice"))?;
        for event in &fragment.events {
            let event = (under(world, world.ledger.browser_of(id)), event.message_id.as_str());
            hold(events.insert(event), || format!("event {event:?} lives twice"))?;
        }
        hold(fragment.accepted == fragment.events.len() as u64, || format!("{id:?} counts wrongly"))?;
    }
    for ((browser, message), times) in &world.accepted {
        hold(*times == 1, || format!("event {message} was accepted {times} times"))?;
        hold(events.contains(&(under(world, Some(browser)), message.as_str())), || format!("event {message} is lost"))?;
    }
    world.ledger.is_nobody_elses().map_err(|what| format!("{UNPROVED}: {what}"))?;
    hold(events.len() == world.accepted.len(), || "an event appeared that nobody accepted".to_owned())
}

/// Once everything has come to rest.
pub(crate) fn at_rest(world: &World<'_>, script: &Script) -> Checked {
    always(world)?;
    let present = script.senders.iter().enumerate().filter(|(index, _)| world.comes(*index));
    let sent: usize = present.flat_map(|(_, sender)| &sender.batches).map(Vec::len).sum();
    let kept: BTreeSet<&str> = world.accepted.keys().map(|(_, message)| message.as_str()).collect();
    hold(kept.len() == sent, || format!("{} of {sent} events were accepted", kept.len()))?;
    world.ledger.is_kept_once(world)?;
    unproved(world, script).map_err(|what| format!("{UNPROVED}: {what}"))?;
    let graph = world.graph();
    for row in world.rows.values() {
        for (id, fragment) in &row.fragments {
            let assignment = assignment_of(&graph, id).map_err(|error| error.message.clone())?;
            let place = (&row.id, fragment.link_strength, fragment.assignment_version);
            let meant = (&assignment.profile, assignment.link_strength, assignment.version);
            hold(place == meant, || format!("{id:?} is at {place:?}, and the graph means {meant:?}"))?;
            told(id, fragment, world, &graph)?;
        }
    }
    if script.asks {
        world.ledger.said_links_count(world, &graph)?;
        world.ledger.logouts_end_ids(world)?;
    }
    walks_are_short(world)?;
    together(world, script)?;
    apart(world, script)
}

/// Rows that lie between the one that a browser began as and the one that it adds to, however many people had it.
const WALK: usize = 2;

/// Who lost their route finds their fragment by the row that the browser began as.
fn walks_are_short(world: &World<'_>) -> Checked {
    let fragments = || world.rows.values().flat_map(|row| &row.fragments);
    let browsers: BTreeSet<&AnonymousId> = fragments().filter_map(|(_, held)| held.browser.as_ref()).collect();
    for browser in browsers {
        let (mut row, mut wanted) = (FragmentId::first(browser).home().map_err(|error| error.message)?, None);
        for hops in 0.. {
            hold(hops <= WALK, || format!("from {browser:?} it is more than {WALK} rows to {row:?}"))?;
            let Some(held) = world.rows.get(&row) else { break };
            match held.resolve(browser, wanted.as_ref()).map_err(|error| error.message)? {
                Resolution::Next { profile, fragment, .. } => (row, wanted) = (profile, Some(fragment)),
                _ => break,
            }
        }
    }
    Ok(())
}

/// The graph knows what a fragment has said, and how far it is to be believed.
fn told(id: &FragmentId, fragment: &Fragment, world: &World<'_>, graph: &MemoryGraph) -> Checked {
    for said in fragment.said.iter().filter(|said| !world.deaf.contains(&(id.clone(), said.identifier.clone()))) {
        let mut edges = graph.edges().filter(|edge| edge.fragment == *id && edge.identifier == said.identifier);
        let known = edges.any(|edge| edge.trust() >= said.trust);
        hold(known, || format!("{id:?} says {said:?}, and the graph was not told"))?;
    }
    Ok(())
}

/// No unproved event changes who a proved person is: facts are what is proved, people who are linked by facts are those
/// whom facts alone make, and a claim joins nobody to them.
fn unproved(world: &World<'_>, script: &Script) -> Checked {
    let graph = world.graph();
    if script.asks {
        world.ledger.links_are_confirmed(&graph, script)?;
    }
    for edge in graph.edges() {
        let Some((witness, (sender, event))) =
            edge.proved.as_ref().and_then(|witness| Some((witness, script.event(&witness.message_id)?)))
        else {
            continue;
        };
        let user = edge.identifier.namespace == Namespace::UserId && event["user_id"] == edge.identifier.value.as_str();
        let proved = sender.trust == Trust::Fact || (user && Script::is_proved(sender, event));
        // A server's word that a browser confirmed: the ledger knows.
        hold(proved || (user && script.asks), || format!("{edge:?} is a fact by {witness:?}, which proves nothing"))?;
    }
    let facts: Vec<_> = graph.edges().filter(|edge| edge.trust() == Trust::Fact).cloned().collect();
    let people = resolve(&facts, &script.rules).map_err(|error| error.message.clone())?;
    for row in world.rows.values() {
        let guests = row.joined_by_claim(usize::MAX);
        hold(guests.is_empty(), || format!("{guests:?} are joined to {:?} by claims", row.id))?;
        let proved_browser =
            row.fragments.iter().any(|(id, held)| id.is_of_browser() && held.link_strength == LinkStrength::Proved);
        for (id, fragment) in &row.fragments {
            let by_facts = people.places.get(id).filter(|(_, strength)| *strength == LinkStrength::Proved);
            let place = (row.id.clone(), fragment.link_strength);
            match fragment.link_strength {
                LinkStrength::Trusted => {
                    hold(!proved_browser, || format!("{id:?} joins {place:?} by a trusted claim"))?;
                }
                _ => hold(by_facts.map_or(row.id.as_str() == id.as_str(), |meant| *meant == place), || {
                    format!("{id:?} is at {place:?}, and facts mean {by_facts:?}")
                })?,
            }
            succession(id, fragment, world, script)?;
        }
    }
    Ok(())
}

/// No claim takes a browser from the user who was proved on it, and every event is where its own browser is.
fn succession(id: &FragmentId, fragment: &Fragment, world: &World<'_>, script: &Script) -> Checked {
    let browser = id.as_str().split('~').next().filter(|_| id.is_of_browser());
    for event in &fragment.events {
        let Some((sender, _)) = script.event(&event.message_id) else { continue };
        // Where browsers are asked for their tokens, the ledger says whose an ID is.
        let own = script.asks || browser.is_none_or(|browser| browser == sender.name);
        hold(own, || format!("{id:?} has an event of {}", sender.name))?;
    }
    let mut told = fragment.events.iter().filter_map(|event| script.event(&event.message_id));
    let was_proved = told.any(|(sender, event)| Script::is_login(sender, event));
    let Some(next) = fragment.successor.as_ref().filter(|_| was_proved) else { return Ok(()) };
    let begins = |(_, message): &&(AnonymousId, String)| id.next(&MessageId::parse(message).unwrap()) == *next;
    let login = world.accepted.keys().find(begins).and_then(|(_, message)| script.event(message));
    let stated =
        |event| world.ledger.browser_of(id).is_some_and(|browser| world.ledger.is_stated(browser, event, script));
    let proved = login.is_some_and(|(sender, event)| Script::is_proved(sender, event) || stated(event));
    hold(proved, || format!("{id:?} was proved, and an unproved event began {next:?}"))
}

fn home_of(world: &World<'_>) -> BTreeMap<FragmentId, ProfileId> {
    let rows = world.rows.values();
    rows.flat_map(|row| row.fragments.keys().map(|id| (id.clone(), row.id.clone()))).collect()
}

/// Equal facts reach the same profile, unless a rule says otherwise; and where one does, it has a reason.
fn together(world: &World<'_>, script: &Script) -> Checked {
    let (homes, graph) = (home_of(world), world.graph());
    for edge in graph.edges().filter(|edge| !edge.fragment.is_alias()) {
        let named = find(&graph, &script.rules, &edge.identifier).map_err(|error| error.message.clone())?;
        // No claim names anybody whom a fact names otherwise.
        let fact = edge.trust() == Trust::Fact
            && graph.verdicts.get(&(edge.fragment.clone(), edge.identifier.clone())) == Some(&Verdict::Joined);
        hold(!fact || named.as_ref().is_some_and(|named| named.trust == Trust::Fact), || {
            format!("{edge:?}: {named:?}")
        })?;
        let named = named.map(|named| named.profile);
        let verdict = graph.verdicts.get(&(edge.fragment.clone(), edge.identifier.clone()));
        let home = homes.get(&edge.fragment);
        let reached = home.is_some() && home == named.as_ref();
        let limited = script.rules.merges_per_hour < 30 || script.rules.fragments_per_identifier < 50;
        let excused = match verdict {
            Some(Verdict::Joined) | None => false,
            Some(Verdict::Conflict | Verdict::Dropped) => true,
            Some(Verdict::Unproved) => edge.trust() == Trust::Claim,
            Some(Verdict::Held | Verdict::Shared) => limited,
        };
        hold(reached || excused, || format!("{edge:?} is {verdict:?}, at {home:?} and {named:?}"))?;
    }
    Ok(())
}

/// Two user IDs share a profile only by an alias.
fn apart(world: &World<'_>, script: &Script) -> Checked {
    let graph = world.graph();
    let mut users: BTreeMap<ProfileId, BTreeSet<String>> = BTreeMap::new();
    let mut aliases: Vec<BTreeSet<String>> = Vec::new();
    let of = |edge: &endcap_identity::Edge| edge.identifier.value.clone();
    let named = |edge: &&endcap_identity::Edge| {
        let key = (edge.fragment.clone(), edge.identifier.clone());
        edge.identifier.namespace == Namespace::UserId && graph.verdicts.get(&key) == Some(&Verdict::Joined)
    };
    for edge in graph.edges().filter(named) {
        if edge.fragment.is_alias() {
            let both = graph.edges().filter(|other| other.fragment == edge.fragment).map(of).collect();
            aliases.push(both);
        } else if let Some(named) = find(&graph, &script.rules, &edge.identifier).map_err(|e| e.message.clone())? {
            users.entry(named.profile).or_default().insert(of(edge));
        }
    }
    for (profile, users) in users {
        let Some(mut reached) = users.first().map(|user| BTreeSet::from([user.clone()])) else { continue };
        for _ in 0..aliases.len() {
            for both in &aliases {
                if !both.is_disjoint(&reached) {
                    reached.extend(both.iter().cloned());
                }
            }
        }
        hold(users.is_subset(&reached), || format!("{users:?} share {profile:?}"))?;
    }
    Ok(())
}

/// Everybody: the profile, its fragments with their standing, and their fold.
pub(crate) type People = BTreeMap<ProfileId, (BTreeSet<String>, Person)>;

pub(crate) fn people(world: &World<'_>) -> People {
    let rows = world.rows.values().filter(|row| !row.fragments.is_empty());
    let of = |row: &endcap_profile::ProfileRow| {
        let mut row = row.clone();
        let now = crate::script::NOW;
        let settled = endcap_engine::visit::refresh(&mut row, &endcap_engine::shop::Snapshot::empty(), now);
        let names =
            row.fragments.iter().map(|(id, held)| format!("{} {:?}", id.as_str(), held.link_strength)).collect();
        let mut person = Person::fold(&row.fragments);
        person.behaviour.stage = settled.person.behaviour.stage;
        (row.id.clone(), (names, person))
    };
    rows.map(of).collect()
}

/// People without those of whom every fragment is a stranger's.
pub(crate) fn without_strangers(people: &People, script: &Script) -> People {
    let strangers = script.strangers();
    let name_of = |index: &usize| script.senders[*index].name.as_str();
    let names: BTreeSet<&str> = strangers.iter().map(name_of).collect();
    without(people, |fragment| fragment.split('~').next().is_some_and(|name| names.contains(name)))
}

/// People without those of whom every fragment is left out.
pub(crate) fn without(people: &People, is_left_out: impl Fn(&str) -> bool) -> People {
    let is_left_out = |fragment: &String| fragment.rsplit_once(' ').is_some_and(|(id, _)| is_left_out(id));
    let kept = people.iter().filter(|(_, (fragments, _))| !fragments.iter().all(is_left_out));
    kept.map(|(profile, held)| (profile.clone(), held.clone())).collect()
}

/// Two worlds know the same people.
pub(crate) fn same(what: &str, one: &People, other: &People) -> Checked {
    for (profile, held) in one {
        let there = other.get(profile);
        hold(Some(held) == there, || {
            let sets = (&held.0, there.map(|there| &there.0));
            if there.is_some_and(|there| there.0 == held.0) {
                format!("{what}: {profile:?} folds differently: {held:#?} {there:#?}")
            } else {
                format!("{what}: {profile:?} has {sets:?}")
            }
        })?;
    }
    hold(one.len() == other.len(), || format!("{what}: {:?} and {:?}", one.keys(), other.keys()))
}
