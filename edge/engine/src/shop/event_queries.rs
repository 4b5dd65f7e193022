//! The shop's questions about what people did: those of its segments and campaigns, which every fragment counts.

use std::collections::BTreeMap;

use endcap_events::ingest::event::Event;
use endcap_identity::FragmentId;
use endcap_profile::ProfileRow;
use endcap_profile::occurrences::{FragmentOccurrences, Occurrence, Occurrences};
use endcap_protocol::{FieldError, UnixMillis};
use endcap_targeting::condition::Condition;
use endcap_targeting::decided::asked;
use endcap_targeting::edge_fact::EdgeFact;
use endcap_targeting::event_query::EventQuery;

use super::locale::ShopLocale;
use crate::event_match::{MatchedEvent, keep};

/// Most questions of a shop: each is held against each event.
pub const MAX_QUERIES: usize = 200;
/// Occurrences that all of them together may have a person's fragment keep.
pub const MAX_KEPT: usize = 20_000;

/// What a condition asks about what people did.
#[must_use]
pub fn queries_of(condition: &Condition) -> Vec<EventQuery> {
    let facts = asked(condition).into_iter().filter_map(|fact| match fact {
        EdgeFact::Event(fact) => Some(fact.queries().cloned().collect::<Vec<_>>()),
        _ => None,
    });
    facts.flatten().collect()
}

/// Questions that are counted as events come.
#[derive(Debug, Clone, Default)]
pub struct EventQueries {
    /// Version of the shop's segments that they belong to.
    pub version: u64,
    /// By key.
    queries: BTreeMap<u64, EventQuery>,
    /// Since which version each is asked, by key.
    since: BTreeMap<u64, u64>,
    /// The latest of those versions; 0 where nothing is asked.
    latest: u64,
    /// Where the shop is.
    pub locale: ShopLocale,
}

impl EventQueries {
    /// The questions of these conditions. `since` says since which version each is asked; of one that it does not name, since this.
    #[must_use]
    pub fn of<'a>(
        version: u64,
        conditions: impl IntoIterator<Item = &'a Condition>,
        since: &BTreeMap<u64, u64>,
    ) -> Self {
        let all = conditions.into_iter().flat_map(queries_of);
        let queries: BTreeMap<u64, EventQuery> = all.map(|query| (query.key(), query)).collect();
        let since: BTreeMap<u64, u64> =
            queries.keys().map(|key| (*key, since.get(key).copied().unwrap_or(version))).collect();
        let latest = since.values().max().copied().unwrap_or_default();
        Self { version, queries, since, latest, locale: ShopLocale::default() }
    }

    /// The same in a shop that is there.
    #[must_use]
    pub fn in_locale(self, locale: ShopLocale) -> Self {
        Self { locale, ..self }
    }

    /// Since which version each is asked, by key.
    ///
    /// # Errors
    /// Where they are too many.
    pub fn checked(self) -> Result<BTreeMap<u64, u64>, FieldError> {
        let kept: usize = self.queries.values().map(EventQuery::keep).sum();
        if self.queries.len() > MAX_QUERIES || kept > MAX_KEPT {
            let message = format!(
                "asks for more about events than all segments and campaigns of a shop may together: {} questions of at \
                 most {MAX_QUERIES}, which keep {kept} occurrences of at most {MAX_KEPT}; compare with smaller numbers, \
                 sum less, or delete what is not needed",
                self.queries.len()
            );
            return Err(FieldError::new("condition", message));
        }
        Ok(self.since)
    }

    /// Since which version the latest of them is asked; 0 where nothing is.
    #[must_use]
    pub fn latest(&self) -> u64 {
        self.latest
    }

    /// Since which version one is asked; None where it is not.
    #[must_use]
    pub fn since(&self, key: u64) -> Option<u64> {
        self.since.get(&key).copied()
    }

    /// Every one.
    pub fn all(&self) -> impl Iterator<Item = &EventQuery> {
        self.queries.values()
    }

    /// Those that are newer than a version.
    pub fn after(&self, version: u64) -> impl Iterator<Item = &EventQuery> {
        let is_newer = move |key: &u64| self.since(*key).is_some_and(|since| since > version);
        self.queries.iter().filter(move |(key, _)| is_newer(key)).map(|(_, query)| query)
    }

    /// Counts what a fragment's events say now.
    pub fn count(&self, row: &mut ProfileRow, at: &FragmentId, begins: bool, events: &[Event], now: UnixMillis) {
        if self.latest == 0 && !row.occurrences.contains_key(at) {
            return;
        }
        let begun = || if begins { FragmentOccurrences::begun(self.version) } else { FragmentOccurrences::default() };
        let held = row.occurrences.entry(at.clone()).or_insert_with(begun);
        held.follow(self.version, &self.since, now);
        for (query, answers) in answers(self.queries.values(), events, &self.locale) {
            held.count(query.key(), answers, keep(query));
        }
        row.bound_occurrences();
    }

    /// Has the fragments that were read follow the questions: what they lack was received up to now, and has to be read before another
    /// event comes.
    pub fn follow(&self, row: &mut ProfileRow, now: UnixMillis) {
        for (id, fragment) in &row.fragments {
            let begun = || {
                if fragment.accepted == 0 {
                    FragmentOccurrences::begun(self.version)
                } else {
                    FragmentOccurrences::default()
                }
            };
            row.occurrences.entry(id.clone()).or_insert_with(begun).follow(
                self.version,
                &self.since,
                now.saturating_add(1),
            );
        }
    }

    /// Adds what was counted of a fragment's past, which completes it.
    pub fn complete(&self, row: &mut ProfileRow, at: &FragmentId, past: &[&Counted]) {
        let Some(held) = row.occurrences.get_mut(at) else { return };
        let Some(lack) = held.lacks() else { return };
        merge(held, self.after(lack.after_version), past);
        held.note_complete();
        row.bound_occurrences();
    }
}

/// What was counted of some events, by the key of the question.
pub type Counted = BTreeMap<u64, Occurrences>;

/// Counts events of the past, a few at a time.
pub struct PastCounter<'a> {
    queries: &'a [EventQuery],
    /// Where the shop is.
    pub locale: &'a ShopLocale,
    /// What was counted so far.
    pub counted: Counted,
}

impl<'a> PastCounter<'a> {
    /// Counts for these questions, in a shop that is there.
    #[must_use]
    pub fn new(queries: &'a [EventQuery], locale: &'a ShopLocale) -> Self {
        Self { queries, locale, counted: Counted::new() }
    }

    /// Counts some.
    pub fn add(&mut self, events: &[Event]) {
        for (query, answers) in answers(self.queries, events, self.locale) {
            self.counted.entry(query.key()).or_default().add(answers, keep(query));
        }
    }
}

/// Puts what was counted of all the past of a fragment in the place of what it counts.
pub fn replace(row: &mut ProfileRow, at: &FragmentId, queries: &[EventQuery], past: &[&Counted]) {
    let held = row.occurrences.entry(at.clone()).or_default();
    queries.iter().for_each(|query| held.forget(query.key()));
    merge(held, queries, past);
}

/// Adds what was counted of some questions.
fn merge<'a>(held: &mut FragmentOccurrences, queries: impl IntoIterator<Item = &'a EventQuery>, past: &[&Counted]) {
    for query in queries {
        let found = past.iter().filter_map(|counted| counted.get(&query.key()));
        found.for_each(|counted| held.merge(query.key(), counted, keep(query)));
    }
}

/// What events answer.
fn answers<'a>(
    queries: impl IntoIterator<Item = &'a EventQuery>,
    events: &[Event],
    locale: &ShopLocale,
) -> Vec<(&'a EventQuery, Vec<Occurrence>)> {
    let matched: Vec<MatchedEvent<'_>> = events.iter().map(|event| MatchedEvent::new(event, locale)).collect();
    let answers = queries.into_iter().map(|query| {
        let of_query = matched.iter().flat_map(|event| event.answers(query));
        (query, of_query.collect::<Vec<_>>())
    });
    answers.filter(|(_, answers)| !answers.is_empty()).collect()
}
