//! Occurrences: the events of a fragment that conditions of the shop count.
//!
//! Role in the flow of one event: it is added to the accumulator of each question that it answers. A person's accumulator is the
//! union of those of their fragments, so linking and unlinking come out exactly. An accumulator keeps the latest occurrences, as
//! many as its question needs, and the time of the first.
//!
//! A question that is new has to be answered of the past too. Each fragment knows since when it counts for which version of the
//! shop's questions, and for which version the log was read besides: the two meet without a gap and without an event twice.

use std::collections::{BTreeMap, BTreeSet};

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Serialize};

/// Something that happened and counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Occurrence {
    /// When.
    pub at: UnixMillis,
    /// The number that the question asks for, in thousandths; 0 where it asks for none.
    pub thousandths: i64,
    /// What must not count twice, such as an order: of those with the same one counts. 0 counts each time.
    pub same: u64,
}

/// Which of several that are the same counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// The first: an order that is told again was placed before.
    First,
    /// The last: a value is met again.
    Last,
}

/// How an accumulator keeps what it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How many, the latest.
    pub most: usize,
    /// Which of several that are the same.
    pub counts: Counts,
}

/// An accumulator.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Occurrences {
    /// When it happened first; None where it did not.
    first: Option<UnixMillis>,
    /// The latest, the earliest of them first.
    latest: Vec<Occurrence>,
}

impl Occurrences {
    /// Adds some.
    pub fn add(&mut self, more: impl IntoIterator<Item = Occurrence>, keep: Keep) {
        for occurrence in more {
            self.first = Some(self.first.map_or(occurrence.at, |first| first.min(occurrence.at)));
            self.latest.push(occurrence);
        }
        self.settle(keep);
    }

    /// Takes in those of another fragment.
    pub fn merge(&mut self, other: &Self, keep: Keep) {
        self.first = self.first.into_iter().chain(other.first).min();
        self.latest.extend_from_slice(&other.latest);
        self.settle(keep);
    }

    /// Those of several fragments together.
    #[must_use]
    pub fn union<'a>(parts: impl IntoIterator<Item = &'a Self>, keep: Keep) -> Self {
        let mut union = Self::default();
        for part in parts {
            union.first = union.first.into_iter().chain(part.first).min();
            union.latest.extend_from_slice(&part.latest);
        }
        union.settle(keep);
        union
    }

    /// Forgets all but the latest.
    fn shrink(&mut self, most: usize) {
        let surplus = self.latest.len().saturating_sub(most);
        self.latest.drain(..surplus);
    }

    fn settle(&mut self, keep: Keep) {
        self.latest.sort_unstable();
        if keep.counts == Counts::Last {
            self.latest.reverse();
        }
        let mut met = BTreeSet::new();
        self.latest.retain(|one| one.same == 0 || met.insert(one.same));
        if keep.counts == Counts::Last {
            self.latest.reverse();
        }
        self.shrink(keep.most);
    }

    /// When it happened first.
    #[must_use]
    pub fn first(&self) -> Option<UnixMillis> {
        self.first
    }

    /// When it happened last.
    #[must_use]
    pub fn last(&self) -> Option<UnixMillis> {
        self.latest.last().map(|one| one.at)
    }

    /// The latest, the earliest of them first.
    #[must_use]
    pub fn latest(&self) -> &[Occurrence] {
        &self.latest
    }
}

/// Accumulators of a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FragmentOccurrences {
    /// Version of the shop's questions up to which the past is counted too.
    pub complete: u64,
    /// Version of the shop's questions that are counted as events come.
    counted: u64,
    /// Since when those are that the past is not counted for: what was received before is to be read from the log.
    since: UnixMillis,
    /// By the key of the question. One to which nothing happened yet has none.
    by_query: BTreeMap<u64, Occurrences>,
}

impl FragmentOccurrences {
    /// Those of a fragment that begins.
    #[must_use]
    pub fn begun(version: u64) -> Self {
        Self { complete: version, counted: version, ..Self::default() }
    }

    /// Goes over to a version of the shop's questions; `asked` says since which version each is there, by its key.
    pub fn follow(&mut self, version: u64, asked: &BTreeMap<u64, u64>, now: UnixMillis) {
        if self.counted == version {
            return;
        }
        let is_complete = self.complete == self.counted;
        let is_older = version < self.counted;
        let has_news = asked.values().any(|since| *since > self.counted);
        self.counted = version;
        if is_older {
            // Whoever knows less counts less: what it does not know begins anew.
            self.complete = self.complete.min(version);
            return;
        }
        let complete = self.complete;
        self.by_query.retain(|key, _| asked.get(key).is_some_and(|since| !has_news || *since <= complete));
        match (is_complete, has_news) {
            (true, false) => self.complete = version,
            (_, true) => self.since = now,
            (false, false) => {}
        }
    }

    /// Counts what happened now.
    pub fn count(&mut self, key: u64, more: Vec<Occurrence>, keep: Keep) {
        if !more.is_empty() {
            self.by_query.entry(key).or_default().add(more, keep);
        }
    }

    /// Adds what was counted of the past.
    pub fn merge(&mut self, key: u64, past: &Occurrences, keep: Keep) {
        self.by_query.entry(key).or_default().merge(past, keep);
    }

    /// Forgets an accumulator.
    pub fn forget(&mut self, key: u64) {
        self.by_query.remove(&key);
    }

    /// What was received before this is to be read from the log, for questions that are newer than a version. None where the past is
    /// counted.
    #[must_use]
    pub fn lacks(&self) -> Option<Lack> {
        (self.complete < self.counted).then_some(Lack { before: self.since, after_version: self.complete })
    }

    /// Notes that the past was counted.
    pub fn note_complete(&mut self) {
        self.complete = self.counted;
    }

    /// An accumulator.
    #[must_use]
    pub fn of(&self, key: u64) -> Option<&Occurrences> {
        self.by_query.get(&key)
    }

    /// Occurrences that are kept.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.by_query.values().map(|held| held.latest.len()).sum()
    }

    /// Forgets all but the latest of each accumulator, and the accumulators in which nothing happened since a time.
    pub fn shrink(&mut self, most: usize, since: UnixMillis) {
        self.by_query.retain(|_, held| held.last() >= Some(since));
        self.by_query.values_mut().for_each(|held| held.shrink(most));
    }

    /// When it happened last, of each accumulator.
    pub fn lasts(&self) -> impl Iterator<Item = UnixMillis> {
        self.by_query.values().filter_map(Occurrences::last)
    }
}

/// What of a fragment's past is not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// Events received before this.
    pub before: UnixMillis,
    /// Questions that came after this version.
    pub after_version: u64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(at: UnixMillis) -> Occurrence {
        Occurrence { at, thousandths: 0, same: 0 }
    }

    fn keep(most: usize, counts: Counts) -> Keep {
        Keep { most, counts }
    }

    #[test]
    fn the_latest_are_kept_and_the_first_is_known() {
        let mut held = Occurrences::default();
        held.add([5, 1, 9, 7].map(at), keep(2, Counts::First));
        assert_eq!((held.first(), held.last()), (Some(1), Some(9)));
        assert_eq!(held.latest(), [at(7), at(9)]);
    }

    #[test]
    fn what_is_the_same_counts_once() {
        let same = |at, same| Occurrence { at, thousandths: 0, same };
        for (counts, expected) in [(Counts::First, [1, 4]), (Counts::Last, [4, 9])] {
            let mut held = Occurrences::default();
            held.add([same(1, 8), same(9, 8), same(4, 3)], keep(4, counts));
            assert_eq!(held.latest().iter().map(|one| one.at).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_new_question_leaves_the_others_as_they_are_and_waits_for_its_past() {
        let mut held = FragmentOccurrences::begun(3);
        let old = BTreeMap::from([(1, 2)]);
        held.count(1, vec![at(5)], keep(4, Counts::First));
        held.follow(3, &old, 9);
        assert_eq!(held.lacks(), None);
        let both = BTreeMap::from([(1, 2), (2, 4)]);
        held.follow(4, &both, 10);
        held.count(2, vec![at(11)], keep(4, Counts::First));
        assert_eq!(held.lacks(), Some(Lack { before: 10, after_version: 3 }));
        assert!(held.of(1).is_some());
        // Another one before the first was looked up: both begin anew together.
        held.follow(5, &BTreeMap::from([(1, 2), (2, 4), (3, 5)]), 20);
        assert_eq!((held.lacks(), held.of(2)), (Some(Lack { before: 20, after_version: 3 }), None));
        held.note_complete();
        assert_eq!((held.complete, held.lacks()), (5, None));
        // One that goes takes its accumulator with it.
        held.follow(6, &BTreeMap::from([(3, 5)]), 30);
        assert_eq!((held.complete, held.lacks(), held.of(1)), (6, None, None));
    }

    #[test]
    fn what_an_older_version_counted_has_its_past_looked_up_again() {
        let mut held = FragmentOccurrences::begun(4);
        held.count(2, vec![at(5)], keep(4, Counts::First));
        held.follow(3, &BTreeMap::from([(1, 2)]), 9);
        assert_eq!((held.complete, held.lacks()), (3, None));
        held.follow(4, &BTreeMap::from([(1, 2), (2, 4)]), 10);
        assert_eq!((held.lacks(), held.of(2)), (Some(Lack { before: 10, after_version: 3 }), None));
    }

    proptest! {
        /// Whoever folds fragments sees what one fragment with all of it would show, as far as is kept.
        #[test]
        fn the_union_of_fragments_is_the_whole(
            all in proptest::collection::vec((0_i64..50, 0_u64..6, 0_usize..3), 0..40), most in 1_usize..9, last: bool,
        ) {
            let counts = if last { Counts::Last } else { Counts::First };
            let keep = keep(most, counts);
            let (mut whole, mut parts) = (Occurrences::default(), vec![Occurrences::default(); 3]);
            for (at, same, part) in &all {
                // An order is told at one time, whoever tells it.
                let at = if last || *same == 0 { *at } else { *same as i64 * 7 };
                let one = Occurrence { at, thousandths: 0, same: *same };
                whole.add([one], keep);
                parts[*part].add([one], keep);
            }
            let mut merged = Occurrences::default();
            parts.iter().for_each(|part| merged.merge(part, keep));
            prop_assert_eq!(&merged, &whole);
            prop_assert_eq!(Occurrences::union(&parts, keep), whole);
        }
    }
}
