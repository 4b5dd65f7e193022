//! The lists that somebody was put on by hand: marks of all fragments of a profile, of which the latest counts.

use std::collections::BTreeMap;

use endcap_identity::FragmentId;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_validation::Trust;

use crate::fragment::Fragment;
use crate::list_mark::{ListMark, ListMarks};
use crate::row::ProfileRow;

impl ProfileRow {
    /// Whether the person is on a list that began with a version of the shop's segments.
    #[must_use]
    pub fn is_listed(&self, list: &SegmentId, born: u64) -> bool {
        let guests = self.guests();
        let counting = self.lists.iter().filter(|(id, _)| !guests.contains(*id)).map(|(_, marks)| marks);
        is_on(counting, list, born)
    }

    /// Puts the person on a list, or takes them off it. False where that changes nothing. `lists` are those that there are, each with
    /// the version that it began with: other marks go.
    pub fn set_listed(
        &mut self,
        list: &SegmentId,
        on: bool,
        lists: &BTreeMap<SegmentId, u64>,
        now: UnixMillis,
    ) -> bool {
        let Some(born) = lists.get(list).copied() else { return false };
        let latest = self.lists.values().filter_map(|marks| marks.get(list)).map(|mark| mark.at).max();
        let Some(at) = self.marked().cloned() else { return false };
        if self.is_listed(list, born) == on {
            return false;
        }
        // A later mark counts, also where the clock did not move on.
        let now = latest.map_or(now, |latest| now.max(latest.saturating_add(1)));
        let marks = self.lists.entry(at).or_default();
        marks.insert(list.clone(), ListMark { born, at: now, is_on: on });
        marks.retain(|id, mark| lists.get(id) == Some(&mark.born));
        true
    }

    /// The fragment that a mark stays with: one whose user is proved, else that which acted last.
    fn marked(&self) -> Option<&FragmentId> {
        let proved = |fragment: &Fragment| fragment.user.as_ref().is_some_and(|user| user.trust == Trust::Fact);
        let rank = |(_, fragment): &(&FragmentId, &Fragment)| {
            (!fragment.is_joined_by_claim(), proved(fragment), fragment.behaviour.last_seen)
        };
        self.fragments.iter().max_by_key(rank).map(|(id, _)| id)
    }
}

/// Whether the latest mark of a list says so.
pub fn is_on<'a>(marks: impl Iterator<Item = &'a ListMarks>, list: &SegmentId, born: u64) -> bool {
    let of_list = marks.filter_map(|marks| marks.get(list)).filter(|mark| mark.born == born);
    of_list.max_by_key(|mark| mark.at).is_some_and(|mark| mark.is_on)
}

#[cfg(test)]
mod tests {
    use endcap_protocol::{AnonymousId, ProfileId};

    use super::*;

    fn row(fragments: &[&str]) -> ProfileRow {
        let mut row = ProfileRow::new(ProfileId::parse("a").unwrap(), 0);
        for name in fragments {
            let browser = AnonymousId::parse(name).unwrap();
            row.fragments.insert(FragmentId::first(&browser), Fragment::begun(&browser, 0));
        }
        row
    }

    #[test]
    fn the_latest_mark_of_all_fragments_counts() {
        let vip = SegmentId::parse("vip").unwrap();
        let lists = BTreeMap::from([(vip.clone(), 3)]);
        let mut one = row(&["a"]);
        assert!(one.set_listed(&vip, true, &lists, 10) && one.is_listed(&vip, 3));
        assert!(!one.set_listed(&vip, true, &lists, 11), "they are on it already");
        let mut other = row(&["b"]);
        assert!(!other.set_listed(&vip, false, &lists, 20), "nobody is on it");
        assert!(other.set_listed(&vip, true, &lists, 20) && other.set_listed(&vip, false, &lists, 20));
        one.fragments.extend(other.fragments);
        one.lists.extend(other.lists);
        assert!(!one.is_listed(&vip, 3), "it was said last that they are not on it");
        assert!(one.set_listed(&vip, true, &lists, 5) && one.is_listed(&vip, 3), "whatever the clock says");
    }

    #[test]
    fn a_list_that_is_made_again_begins_empty_and_old_marks_go() {
        let (vip, old) = (SegmentId::parse("vip").unwrap(), SegmentId::parse("old").unwrap());
        let mut row = row(&["a"]);
        let lists = |all: &[(&SegmentId, u64)]| all.iter().map(|(id, born)| ((*id).clone(), *born)).collect();
        assert!(row.set_listed(&old, true, &lists(&[(&old, 1), (&vip, 2)]), 10));
        assert!(row.set_listed(&vip, true, &lists(&[(&vip, 2)]), 11));
        assert_eq!(row.lists.values().map(BTreeMap::len).sum::<usize>(), 1);
        assert!(!row.is_listed(&vip, 5));
        assert!(row.set_listed(&vip, true, &lists(&[(&vip, 5)]), 12) && row.is_listed(&vip, 5));
        assert!(!row.set_listed(&old, true, &lists(&[(&vip, 5)]), 13), "there is no such list");
        assert!(!ProfileRow::new(ProfileId::parse("n").unwrap(), 0).set_listed(&vip, true, &lists(&[(&vip, 5)]), 1));
    }
}
