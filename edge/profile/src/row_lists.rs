//! The lists that somebody was put on by hand: marks of all fragments of a profile, of which the latest counts.

use std::collections::BTreeMap;

use endcap_identity::{FragmentId, Identifier, Namespace};
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_validation::Trust;
use serde::{Deserialize, Serialize};

use crate::fragment::Fragment;
use crate::list_mark::ListMark;
use crate::row::ProfileRow;

impl ProfileRow {
    /// Whether the person is on a list that began with a version of the shop's segments.
    #[must_use]
    pub fn is_listed(&self, list: &SegmentId, born: u64) -> bool {
        let guests = self.guests();
        let counting = self.lists.iter().filter(|(id, _)| !guests.contains(*id));
        let marks = counting.filter_map(|(_, marks)| marks.get(list)).filter(|mark| mark.born == born);
        marks.max_by_key(|mark| mark.at).is_some_and(|mark| mark.is_on)
    }

    /// Puts the person on a list, or takes them off it. False where that changes nothing.
    pub fn set_listed(&mut self, list: &SegmentId, on: bool, lists: &Lists, named: &ListedBy, now: UnixMillis) -> bool {
        let Some(born) = lists.born.get(list).copied() else { return false };
        let latest = self.lists.values().filter_map(|marks| marks.get(list)).map(|mark| mark.at).max();
        let Some(at) = self.marked(named).cloned() else { return false };
        if self.is_listed(list, born) == on {
            return false;
        }
        // A later mark counts, also where the clock did not move on.
        let now = latest.map_or(now, |latest| now.max(latest.saturating_add(1)));
        let marks = self.lists.entry(at).or_default();
        marks.insert(list.clone(), ListMark { born, at: now, is_on: on });
        // Marks of lists that are gone go; of one that is newer than what was known of them nothing is known.
        marks.retain(|id, mark| lists.born.get(id) == Some(&mark.born) || mark.born > lists.version);
        true
    }

    /// The fragment that a mark stays with: the one that is meant, else one that bears the name by which the person was named, else
    /// one whose user is proved, and of several that which acted last.
    fn marked(&self, named: &ListedBy) -> Option<&FragmentId> {
        let proved = |fragment: &Fragment| fragment.user.as_ref().is_some_and(|user| user.trust == Trust::Fact);
        let rank = |(id, fragment): &(&FragmentId, &Fragment)| {
            let is_meant = named.fragment.as_ref() == Some(*id);
            let bears = named.identifier.as_ref().is_some_and(|identifier| bears(fragment, identifier));
            (is_meant, bears, !fragment.is_joined_by_claim(), proved(fragment), fragment.behaviour.last_seen)
        };
        self.fragments.iter().max_by_key(rank).map(|(id, _)| id)
    }
}

/// The lists that there are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lists {
    /// The version of the shop's segments that they are of.
    pub version: u64,
    /// Each with the version that it began with.
    pub born: BTreeMap<SegmentId, u64>,
}

/// By what somebody was named who is put on a list.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListedBy {
    /// The fragment of a browser.
    pub fragment: Option<FragmentId>,
    /// An identifier.
    pub identifier: Option<Identifier>,
}

fn bears(fragment: &Fragment, identifier: &Identifier) -> bool {
    let is_user = identifier.namespace == Namespace::UserId
        && fragment.user.as_ref().is_some_and(|user| user.user_id.as_str() == identifier.value);
    is_user || fragment.said.iter().any(|said| said.identifier == *identifier)
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
        let lists = Lists { version: 3, born: [(vip.clone(), 3)].into() };
        let mut one = row(&["a"]);
        assert!(one.set_listed(&vip, true, &lists, &ListedBy::default(), 10) && one.is_listed(&vip, 3));
        assert!(!one.set_listed(&vip, true, &lists, &ListedBy::default(), 11), "they are on it already");
        let mut other = row(&["b"]);
        assert!(!other.set_listed(&vip, false, &lists, &ListedBy::default(), 20), "nobody is on it");
        assert!(
            other.set_listed(&vip, true, &lists, &ListedBy::default(), 20)
                && other.set_listed(&vip, false, &lists, &ListedBy::default(), 20)
        );
        one.fragments.extend(other.fragments);
        one.lists.extend(other.lists);
        assert!(!one.is_listed(&vip, 3), "it was said last that they are not on it");
        assert!(
            one.set_listed(&vip, true, &lists, &ListedBy::default(), 5) && one.is_listed(&vip, 3),
            "whatever the clock says"
        );
    }

    #[test]
    fn a_list_that_is_made_again_begins_empty_and_old_marks_go() {
        let (vip, old) = (SegmentId::parse("vip").unwrap(), SegmentId::parse("old").unwrap());
        let mut row = row(&["a"]);
        let lists = |all: &[(&SegmentId, u64)]| {
            let born: BTreeMap<SegmentId, u64> = all.iter().map(|(id, born)| ((*id).clone(), *born)).collect();
            Lists { version: born.values().copied().max().unwrap_or_default(), born }
        };
        assert!(row.set_listed(&old, true, &lists(&[(&old, 1), (&vip, 2)]), &ListedBy::default(), 10));
        assert!(row.set_listed(&vip, true, &lists(&[(&vip, 2)]), &ListedBy::default(), 11));
        assert_eq!(row.lists.values().map(BTreeMap::len).sum::<usize>(), 1);
        assert!(!row.is_listed(&vip, 5));
        assert!(row.set_listed(&vip, true, &lists(&[(&vip, 5)]), &ListedBy::default(), 12) && row.is_listed(&vip, 5));
        assert!(!row.set_listed(&old, true, &lists(&[(&vip, 5)]), &ListedBy::default(), 13), "there is no such list");
        assert!(!ProfileRow::new(ProfileId::parse("n").unwrap(), 0).set_listed(
            &vip,
            true,
            &lists(&[(&vip, 5)]),
            &ListedBy::default(),
            1
        ));
    }

    #[test]
    fn a_mark_stays_with_whom_it_names() {
        let vip = SegmentId::parse("vip").unwrap();
        let lists = Lists { version: 3, born: [(vip.clone(), 3)].into() };
        let mut both = row(&["a", "b"]);
        let name = |id: &str| FragmentId::first(&AnonymousId::parse(id).unwrap());
        let user = Identifier::new(Namespace::UserId, "u-1").unwrap();
        let named = |id: &str| ListedBy { fragment: Some(name(id)), identifier: None };
        for meant in ["a", "b"] {
            let mut row = both.clone();
            assert!(row.set_listed(&vip, true, &lists, &named(meant), 10));
            assert_eq!(row.lists.keys().map(FragmentId::as_str).collect::<Vec<_>>(), [meant]);
        }
        let first = both.fragments.get_mut("a").unwrap();
        first.user = Some(crate::fragment::Named {
            user_id: endcap_protocol::UserId::parse("u-1").unwrap(),
            trust: Trust::Fact,
            at: 1,
        });
        both.fragments.get_mut("b").unwrap().behaviour.last_seen = 99;
        assert!(both.set_listed(&vip, true, &lists, &ListedBy { fragment: None, identifier: Some(user) }, 10));
        assert!(both.lists.contains_key("a"));
    }

    #[test]
    fn a_list_that_the_request_does_not_know_yet_keeps_its_marks() {
        let (old, new) = (SegmentId::parse("old").unwrap(), SegmentId::parse("new").unwrap());
        let mut row = row(&["a"]);
        let both = Lists { version: 9, born: [(old.clone(), 3), (new.clone(), 9)].into() };
        assert!(row.set_listed(&new, true, &both, &ListedBy::default(), 10));
        let before = Lists { version: 5, born: [(old.clone(), 3)].into() };
        assert!(row.set_listed(&old, true, &before, &ListedBy::default(), 11));
        assert!(row.is_listed(&new, 9) && row.is_listed(&old, 3));
    }
}
