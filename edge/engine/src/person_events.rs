//! What was counted of a person's events.

use std::borrow::Cow;
use std::collections::BTreeMap;

use endcap_identity::FragmentId;
use endcap_profile::occurrences::{FragmentOccurrences, Occurrences};
use endcap_profile::{Fragment, ProfileRow};
use endcap_targeting::event_query::EventQuery;

use crate::event_match::keep;
use crate::shop::event_queries::EventQueries;

/// The accumulators of a person's fragments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PersonEvents<'a> {
    by_fragment: &'a BTreeMap<FragmentId, FragmentOccurrences>,
    whose: Whose<'a>,
    /// Whether the past is known of whatever is asked.
    is_known: bool,
}

/// Which of the fragments count.
#[derive(Debug, Clone, Copy)]
enum Whose<'a> {
    /// Those of a profile.
    Profile(&'a ProfileRow),
    /// These alone.
    Fragments(&'a BTreeMap<FragmentId, Fragment>),
}

impl<'a> PersonEvents<'a> {
    /// Those of a profile.
    pub(crate) fn of(row: &'a ProfileRow) -> Self {
        Self { by_fragment: &row.occurrences, whose: Whose::Profile(row), is_known: false }
    }

    /// Those of some fragments alone.
    pub(crate) fn of_fragments(
        fragments: &'a BTreeMap<FragmentId, Fragment>,
        by_fragment: &'a BTreeMap<FragmentId, FragmentOccurrences>,
    ) -> Self {
        Self { by_fragment, whose: Whose::Fragments(fragments), is_known: false }
    }

    /// The same where the past of all fragments was counted.
    pub(crate) fn known(self) -> Self {
        Self { is_known: true, ..self }
    }

    /// Whether the past is known of a question.
    pub(crate) fn knows(&self, query: &EventQuery, shop: &EventQueries) -> bool {
        if self.is_known {
            return true;
        }
        let Some(since) = shop.since(query.key()) else { return false };
        match self.whose {
            Whose::Profile(row) => row.occurrences_are_complete(since),
            Whose::Fragments(fragments) => {
                let is_complete = |id| self.by_fragment.get(id).is_some_and(|held| held.complete >= since);
                fragments.keys().all(is_complete)
            }
        }
    }

    /// The person's accumulator.
    pub(crate) fn occurrences(&self, query: &EventQuery) -> Cow<'a, Occurrences> {
        let guests = match self.whose {
            Whose::Profile(row) => row.guests(),
            Whose::Fragments(_) => Default::default(),
        };
        let counts = |id: &FragmentId| match self.whose {
            Whose::Profile(_) => !guests.contains(id),
            Whose::Fragments(fragments) => fragments.contains_key(id),
        };
        let mut all = self.by_fragment.iter().filter(|(id, _)| counts(id)).filter_map(|(_, held)| held.of(query.key()));
        let Some(first) = all.next() else { return Cow::Owned(Occurrences::default()) };
        match all.next() {
            None => Cow::Borrowed(first),
            Some(second) => Cow::Owned(Occurrences::union([first, second].into_iter().chain(all), keep(query))),
        }
    }
}

/// Those of some questions of which a profile does not know the past.
#[must_use]
pub fn unknown(row: &ProfileRow, queries: &[EventQuery], shop: &EventQueries) -> Vec<EventQuery> {
    let facts = PersonEvents::of(row);
    queries.iter().filter(|query| !facts.knows(query, shop)).cloned().collect()
}
