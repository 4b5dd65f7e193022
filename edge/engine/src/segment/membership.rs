//! Who enters and leaves which segment.

use std::collections::{BTreeMap, BTreeSet};

use endcap_profile::memberships::{Membership, Memberships};
use endcap_profile::{Person, ProfileRow};
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_targeting::PageFacts;
use endcap_targeting::condition::Condition;
use endcap_targeting::edge_fact::EdgeFacts;
use endcap_targeting::evaluate::evaluate_of;
use endcap_targeting::next_change::next_change;

use super::definition::{Segment, Segments};
use crate::person_facts::PersonFacts;
use crate::shop::Snapshot;

/// How a person's segments change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MembershipChanges {
    /// Segments that they are in from now on.
    pub entered: Vec<MembershipChange>,
    /// Segments that they are in no more.
    pub left: Vec<MembershipChange>,
    /// Segments that they were in and that are there no more, or that were made again: nothing counts that.
    pub dropped: Vec<SegmentId>,
}

/// A change of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MembershipChange {
    /// The segment.
    pub segment: SegmentId,
    /// Version of the shop's segments with which it began.
    pub born: u64,
    /// What brought it about.
    pub cause: Cause,
}

/// What brings a change about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something that happened, or time that passed.
    Person,
    /// The segment is new, was changed or was deleted: nothing happened to the person.
    Definition,
}

impl MembershipChanges {
    /// What becomes of somebody in these segments who goes.
    #[must_use]
    pub fn leaving(held: &BTreeMap<SegmentId, Membership>) -> Self {
        let left = held.iter().map(|(segment, membership)| MembershipChange {
            segment: segment.clone(),
            born: membership.born,
            cause: Cause::Person,
        });
        Self { left: left.collect(), ..Self::default() }
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entered.is_empty() && self.left.is_empty() && self.dropped.is_empty()
    }
}

/// A person's segments after they were looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Judged {
    /// What changed.
    pub changes: MembershipChanges,
    /// When time alone changes the next one.
    pub next: Option<UnixMillis>,
}

/// Holds a person against the shop's segments, and notes in the row which ones they are in.
pub fn judge(row: &mut ProfileRow, person: &Person, shop: &Snapshot, now: UnixMillis) -> Judged {
    let segments = &shop.segments;
    let mut held = row.memberships.take().unwrap_or_default();
    if segments.version < held.judged {
        // This is an older snapshot than the one by which the person was looked at: it knows less.
        row.memberships = Some(held);
        return Judged::default();
    }
    if segments.is_empty() && held.held.is_empty() {
        // What campaigns count of events stands behind the memberships.
        let counts = !row.occurrences.is_empty();
        row.memberships = counts.then_some(Memberships { judged: segments.version, ..held });
        return Judged::default();
    }
    let looked = Looked { judged: held.judged, since: row.since() };
    let exists = row.has_fragments();
    let facts = PersonFacts::of(row, person, shop);
    let page = PageFacts { path: "", now };
    let (mut judged, mut unknown) = (Judged::default(), BTreeSet::new());
    for segment in segments.in_order() {
        let id = &segment.saved.id;
        let born = segment.saved.born;
        let stored = held.held.get(id);
        let was = stored.is_some_and(|held| held.born == born);
        if stored.is_some() && !was {
            held.held.remove(id);
            judged.changes.dropped.push(id.clone());
        }
        let condition = judgeable(segment, &facts, &mut unknown);
        let holds = match condition {
            Some(condition) if exists => {
                let facts = facts.in_segments(&held.held);
                if segment.is_timed {
                    let next = next_change(condition, &person.behaviour, &facts, now);
                    judged.next = judged.next.into_iter().chain(next).min();
                }
                evaluate_of(condition, &person.behaviour, &page, &facts).holds
            }
            // What their past says is still to be read, or only a newer version can read the condition.
            _ => exists && was,
        };
        let change = || MembershipChange { segment: id.clone(), born, cause: looked.cause(segment) };
        match (was, holds) {
            (false, true) => {
                held.held.insert(id.clone(), Membership { since: now, born });
                judged.changes.entered.push(change());
            }
            (true, false) => {
                held.held.remove(id);
                judged.changes.left.push(change());
            }
            _ => {}
        }
    }
    judged.changes.dropped.extend(take_gone(&mut held, segments));
    // Against what only a newer version can read nobody was held, nor against what is not known yet.
    let judged_by = if unknown.is_empty() { segments.version } else { held.judged };
    row.memberships = Some(Memberships { judged: judged_by, ..held });
    judged
}

/// The condition of a segment, if somebody can be held against it: this version can read it, and what it asks of their past is known,
/// as is what those that it asks for ask. The others are noted as unknown; they come in an order in which each comes after those that it
/// asks for.
fn judgeable<'a>(
    segment: &'a Segment,
    facts: &PersonFacts<'_>,
    unknown: &mut BTreeSet<&'a SegmentId>,
) -> Option<&'a Condition> {
    let is_known = segment.events.iter().all(|fact| facts.knows(fact));
    let condition = segment.condition.as_ref().filter(|_| is_known);
    let condition = condition.filter(|_| !segment.asks_for.iter().any(|id| unknown.contains(id)));
    if condition.is_none() {
        unknown.insert(&segment.saved.id);
    }
    condition
}

/// Takes out segments that are there no more.
fn take_gone(held: &mut Memberships, segments: &Segments) -> Vec<SegmentId> {
    held.held.extract_if(.., |id, _| segments.get(id).is_none()).map(|(id, _)| id).collect()
}

/// The segments that a person would be in of whom nothing is stored.
#[must_use]
pub fn segments_of(
    facts: PersonFacts<'_>,
    person: &Person,
    shop: &Snapshot,
    now: UnixMillis,
) -> BTreeMap<SegmentId, Membership> {
    let (page, mut since, mut unknown) = (PageFacts { path: "", now }, BTreeMap::new(), BTreeSet::new());
    for segment in shop.segments.in_order() {
        let Some(condition) = judgeable(segment, &facts, &mut unknown) else { continue };
        if evaluate_of(condition, &person.behaviour, &page, &facts.in_segments(&since)).holds {
            let membership = Membership { since: now, born: segment.saved.born };
            since.insert(segment.saved.id.clone(), membership);
        }
    }
    since
}

/// When a person was looked at before.
struct Looked {
    judged: u64,
    since: Option<UnixMillis>,
}

impl Looked {
    /// A condition that changed since they were looked at changes them by itself, unless they came later.
    fn cause(&self, segment: &Segment) -> Cause {
        let came_later = self.since.is_none_or(|since| since >= segment.changed_at);
        if self.judged >= segment.since || came_later { Cause::Person } else { Cause::Definition }
    }
}

#[cfg(test)]
mod tests {
    use endcap_identity::FragmentId;
    use endcap_profile::Fragment;
    use endcap_protocol::{AnonymousId, DAY_MS, ProfileId};
    use serde_json::json;

    use super::super::definition::{Definition, SavedSegment};
    use super::*;
    use crate::shop::event_queries::EventQueries;

    const NOW: UnixMillis = 1_000 * DAY_MS;

    fn segments(version: u64, list: &[(&str, &str, u64)]) -> Snapshot {
        let saved = list.iter().map(|(id, condition, since)| SavedSegment {
            id: SegmentId::parse(id).unwrap(),
            version: 1,
            since: *since,
            changed_at: NOW - 10,
            born: 1,
            definition: Definition { name: (*id).to_owned(), condition: json!(condition), list: false },
        });
        Snapshot { segments: Segments::read(version, saved.collect()), ..Snapshot::empty() }
    }

    fn row(orders: u32, last_order: UnixMillis, since: UnixMillis) -> ProfileRow {
        let browser = AnonymousId::parse("a-1").unwrap();
        let mut row = ProfileRow::new(ProfileId::parse("a-1").unwrap(), since);
        let mut fragment = Fragment::begun(&browser, since);
        fragment.behaviour.first_seen = since;
        fragment.behaviour.last_seen = last_order;
        fragment.behaviour.orders = orders;
        fragment.behaviour.last_order = Some(last_order).filter(|_| orders > 0);
        row.fragments.insert(FragmentId::first(&browser), fragment);
        row
    }

    fn look(row: &mut ProfileRow, shop: &Snapshot, now: UnixMillis) -> Judged {
        let person = Person::of(row);
        judge(row, &person, shop, now)
    }

    fn names(changes: &[MembershipChange]) -> Vec<(&str, Cause)> {
        changes.iter().map(|change| (change.segment.as_str(), change.cause)).collect()
    }

    #[test]
    fn an_event_lets_in_and_time_lets_out() {
        let all = segments(1, &[("buyers", "orders >= 1", 1), ("recent", "days_since_last_order < 30", 1)]);
        let mut row = row(0, NOW, NOW - 5);
        assert_eq!(look(&mut row, &all, NOW), Judged::default());
        row.fragments.values_mut().for_each(|fragment| {
            fragment.behaviour.orders = 1;
            fragment.behaviour.last_order = Some(NOW);
        });
        let judged = look(&mut row, &all, NOW + 1);
        assert_eq!(names(&judged.changes.entered), [("buyers", Cause::Person), ("recent", Cause::Person)]);
        assert_eq!(judged.next, Some(NOW + 30 * DAY_MS));
        assert!(look(&mut row, &all, NOW + 30 * DAY_MS - 1).changes.is_empty());
        let judged = look(&mut row, &all, NOW + 30 * DAY_MS);
        assert_eq!((names(&judged.changes.left), judged.next), (vec![("recent", Cause::Person)], None));
        let held = row.memberships.unwrap();
        assert_eq!(held.held.into_values().map(|held| held.since).collect::<Vec<_>>(), [NOW + 1]);
    }

    #[test]
    fn who_was_there_before_a_definition_enters_by_it_and_who_came_later_by_themselves() {
        let first = segments(1, &[("one", "orders >= 1", 1)]);
        for (judged, since, cause) in
            [(0, NOW - 1_000, Cause::Definition), (0, NOW - 5, Cause::Person), (1, NOW - 1_000, Cause::Person)]
        {
            let mut row = row(1, NOW, since);
            row.memberships = Some(Memberships { judged, held: BTreeMap::new() });
            let judged = look(&mut row, &first, NOW);
            assert_eq!(names(&judged.changes.entered), [("one", cause)]);
        }
    }

    #[test]
    fn a_changed_and_a_deleted_segment_let_out_by_definition() {
        let mut row = row(1, NOW, NOW - 1_000);
        look(&mut row, &segments(2, &[("one", "orders >= 1", 1), ("two", "orders = 1", 2)]), NOW);
        let judged = look(&mut row, &segments(4, &[("one", "orders >= 5", 3)]), NOW + 1);
        assert_eq!(names(&judged.changes.left), [("one", Cause::Definition)]);
        assert_eq!(judged.changes.dropped, [SegmentId::parse("two").unwrap()], "what is gone has no size any more");
        assert_eq!(look(&mut row, &segments(5, &[]), NOW + 2), Judged::default());
        assert_eq!(row.memberships, None, "a shop without segments has nothing more written");
    }

    #[test]
    fn a_segment_may_ask_for_others_whatever_their_names() {
        let all = segments(
            3,
            &[
                ("a", "segment(\"b\") and not segment(\"c\")", 1),
                ("b", "segment(\"c\") or orders >= 1", 2),
                ("c", "orders >= 2", 3),
            ],
        );
        let mut row = row(1, NOW, NOW - 5);
        assert_eq!(names(&look(&mut row, &all, NOW).changes.entered), [("b", Cause::Person), ("a", Cause::Person)]);
        row.fragments.values_mut().for_each(|fragment| fragment.behaviour.orders = 2);
        let changes = look(&mut row, &all, NOW + 1).changes;
        assert_eq!(
            (names(&changes.entered), names(&changes.left)),
            (vec![("c", Cause::Person)], vec![("a", Cause::Person)])
        );
        let person = Person::of(&row);
        let of = segments_of(PersonFacts::of(&row, &person, &all), &person, &all, NOW + 1);
        assert_eq!(of.into_keys().map(SegmentId::into_string).collect::<Vec<_>>(), ["b", "c"]);
    }

    #[test]
    fn what_a_definition_changes_of_another_is_by_definition_too() {
        let first = segments(1, &[("a", "segment(\"b\")", 1), ("b", "orders >= 5", 1)]);
        let mut row = row(1, NOW, NOW - 1_000);
        look(&mut row, &first, NOW);
        let judged = look(&mut row, &segments(2, &[("a", "segment(\"b\")", 1), ("b", "orders >= 1", 2)]), NOW + 1);
        assert_eq!(names(&judged.changes.entered), [("b", Cause::Definition), ("a", Cause::Definition)]);
    }

    #[test]
    fn one_that_was_made_again_is_another() {
        let mut row = row(1, NOW, NOW - 1_000);
        look(&mut row, &segments(1, &[("one", "orders >= 1", 1), ("two", "orders >= 1", 1)]), NOW);
        let mut again = segments(3, &[("one", "orders >= 1", 3), ("two", "orders >= 2", 3)]);
        let saved = again.segments.in_order().map(|one| SavedSegment { born: 3, ..one.saved.clone() }).collect();
        again.segments = Segments::read(3, saved);
        let changes = look(&mut row, &again, NOW + 1).changes;
        assert_eq!((names(&changes.entered), names(&changes.left)), (vec![("one", Cause::Definition)], vec![]));
        assert_eq!(changes.dropped.iter().map(SegmentId::as_str).collect::<Vec<_>>(), ["one", "two"]);
        assert!(look(&mut row, &again, NOW + 2).changes.is_empty());
    }

    #[test]
    fn an_older_snapshot_changes_nothing() {
        let mut row = row(1, NOW, NOW - 1_000);
        look(&mut row, &segments(2, &[("one", "orders >= 1", 2)]), NOW);
        let held = row.memberships.clone();
        for older in [segments(1, &[("other", "orders >= 1", 1)]), Snapshot::empty()] {
            assert_eq!(look(&mut row, &older, NOW + 1), Judged::default());
            assert_eq!(row.memberships, held);
        }
    }

    #[test]
    fn one_waits_for_the_past_of_those_that_it_asks_for() {
        let mut shop = segments(1, &[("a", "not segment(\"b\")", 1), ("b", "viewed", 1), ("c", "segment(\"a\")", 1)]);
        shop.event_queries = EventQueries::of(1, shop.segments.conditions(), &BTreeMap::new());
        let mut row = row(0, NOW, NOW - 5);
        row.fragments.values_mut().for_each(|fragment| fragment.accepted = 1);
        assert!(look(&mut row, &shop, NOW).changes.is_empty(), "their past may have a view");
        let person = Person::of(&row);
        assert!(segments_of(PersonFacts::of(&row, &person, &shop), &person, &shop, NOW).is_empty());
        shop.event_queries.follow(&mut row, NOW);
        let fragment = row.fragments.keys().next().cloned().unwrap();
        shop.event_queries.complete(&mut row, &fragment, &[]);
        assert_eq!(names(&look(&mut row, &shop, NOW).changes.entered), [("a", Cause::Person), ("c", Cause::Person)]);
    }

    #[test]
    fn a_profile_without_fragments_is_in_none() {
        let all = segments(1, &[("nobody", "orders = 0", 1)]);
        let mut row = row(0, NOW, NOW);
        assert_eq!(names(&look(&mut row, &all, NOW).changes.entered), [("nobody", Cause::Person)]);
        row.fragments.clear();
        assert_eq!(names(&look(&mut row, &all, NOW).changes.left), [("nobody", Cause::Person)]);
    }
}
