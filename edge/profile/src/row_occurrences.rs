//! The accumulators of all fragments of a profile: what of the past they hold, how much they keep, and which of them count.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use endcap_identity::FragmentId;
use endcap_protocol::UnixMillis;

use crate::occurrences::FragmentOccurrences;
use crate::row::ProfileRow;

/// Occurrences that all accumulators of a person keep together: some 200 KB.
const MAX_KEPT: usize = 20_000;
/// What each keeps where they keep too much together, tried one after the other.
const SHORTER: [usize; 7] = [512, 256, 128, 64, 32, 16, LEAST];
/// The least that one keeps.
const LEAST: usize = 4;

impl ProfileRow {
    /// Whether the past of all fragments is counted, for the questions up to a version.
    #[must_use]
    pub fn occurrences_are_complete(&self, version: u64) -> bool {
        let fragments = self.fragments.len().saturating_add(self.unread().fragments as usize);
        version == 0 || self.occurrences.values().filter(|held| held.complete >= version).count() >= fragments
    }

    /// Keeps what all accumulators hold within bounds: of a person who did very much, and on very many browsers, the longest keep only
    /// the latest, and where they are too many, those in which something happened last are kept.
    pub fn bound_occurrences(&mut self) {
        let kept = |row: &Self| row.occurrences.values().map(FragmentOccurrences::kept).sum::<usize>();
        for most in SHORTER {
            if kept(self) <= MAX_KEPT {
                return;
            }
            self.occurrences.values_mut().for_each(|held| held.shrink(most, UnixMillis::MIN));
        }
        if kept(self) > MAX_KEPT {
            let mut lasts: Vec<UnixMillis> = self.occurrences.values().flat_map(FragmentOccurrences::lasts).collect();
            lasts.sort_unstable_by_key(|last| Reverse(*last));
            let since = lasts.get(MAX_KEPT / LEAST).map_or(UnixMillis::MIN, |last| last.saturating_add(1));
            self.occurrences.values_mut().for_each(|held| held.shrink(LEAST, since));
        }
    }

    /// Fragments whose accumulators count; those that an earlier version joined by a claim do not, unless there are no others.
    #[must_use]
    pub fn guests(&self) -> BTreeSet<FragmentId> {
        if self.has_guests() && !self.has_only_guests() {
            return self.joined_by_claim(usize::MAX).into_iter().collect();
        }
        BTreeSet::new()
    }
}

#[cfg(test)]
mod tests {
    use endcap_protocol::ProfileId;

    use super::*;
    use crate::occurrences::{Counts, Keep, Occurrence};

    fn row(fragments: usize, queries: u64, each: i64) -> ProfileRow {
        let mut row = ProfileRow::new(ProfileId::parse("a").unwrap(), 0);
        for n in 0..fragments {
            let browser = endcap_protocol::AnonymousId::parse(&format!("b-{n}")).unwrap();
            let mut held = FragmentOccurrences::begun(1);
            for key in 0..queries {
                let all = (0..each).map(|at| Occurrence { at: at + n as i64, thousandths: 0, same: 0 });
                held.count(key, all.collect(), Keep { most: 1_000, counts: Counts::First });
            }
            row.occurrences.insert(FragmentId::first(&browser), held);
        }
        row
    }

    fn kept(row: &ProfileRow) -> usize {
        row.occurrences.values().map(FragmentOccurrences::kept).sum()
    }

    #[test]
    fn only_the_longest_give_way() {
        let mut row = row(5, 6, 1_000);
        let few = Occurrence { at: 3, thousandths: 0, same: 0 };
        let held = row.occurrences.values_mut().next().unwrap();
        held.count(99, vec![few; 3], Keep { most: 4, counts: Counts::First });
        row.bound_occurrences();
        assert!(kept(&row) <= MAX_KEPT && kept(&row) > MAX_KEPT / 4, "{}", kept(&row));
        assert_eq!(row.occurrences.values().next().unwrap().of(99).unwrap().latest().len(), 3);
    }

    #[test]
    fn a_person_of_a_thousand_browsers_is_bounded_too() {
        for (fragments, queries, each) in [(1_000, 200, 1), (1_000, 41, 6), (500, 50, 4)] {
            let mut row = row(fragments, queries, each);
            row.bound_occurrences();
            assert!(kept(&row) <= MAX_KEPT, "{}", kept(&row));
            let before = row.clone();
            row.bound_occurrences();
            assert_eq!(row, before);
        }
    }
}
