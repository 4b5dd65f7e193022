//! Questions about what a person did: which events, how many of them, and when.
//!
//! Role in the flow of one event: each that a condition of the shop asks becomes an accumulator in the fragments of every person,
//! which an event updates as it comes. It keeps the latest events that it counts, and no more than the comparison needs.

use endcap_protocol::Date;

use crate::fact_names::facts;
use crate::op::Op;
use crate::span::Span;
use crate::text_test::TextTest;

/// Greatest number of events that a count is compared with.
pub const MAX_COUNT: i64 = 999;
/// Greatest number of distinct values that a count is compared with.
pub const MAX_DISTINCT: i64 = 100;
/// The latest hour of a day.
pub const LAST_HOUR: i64 = 23;
/// The days of the week, from the one on which 1970 began.
pub const WEEKDAYS: [&str; 7] = ["thursday", "friday", "saturday", "sunday", "monday", "tuesday", "wednesday"];
/// Most properties that one question filters by.
pub const MAX_FILTERS: usize = 8;
/// How many events an accumulator may keep: the least of these that tells the comparison.
const KEPT: [u16; 4] = [LEAST_KEPT, 16, LEAST_ORDERS_KEPT, MOST_KEPT];
/// The least that an accumulator may keep.
const LEAST_KEPT: u16 = 4;
/// The same of orders: one that is told again is known by those that are kept, and a shop may tell of an old one.
const LEAST_ORDERS_KEPT: u16 = 128;
/// The most.
const MOST_KEPT: u16 = 1_000;

facts! {
    /// When an event was, in the shop's time zone: a property that every event has.
    EventTime {
        /// The day, as `2026-11-29`.
        Date "event_date",
        /// The hour, 0 to 23.
        Hour "event_hour",
        /// The day of the week, in small letters.
        Weekday "event_weekday",
    }
}

impl EventTime {
    /// Its word in JSON, where it stands in the place of a property: a version that does not know it refuses to read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Hour => "hour",
            Self::Weekday => "weekday",
        }
    }
}

facts! {
    /// An event with a word of its own in conditions.
    KnownEvent {
        /// A product was viewed.
        Viewed "viewed",
        /// A product was put into the cart.
        Added "added",
        /// A product was taken out of the cart.
        Removed "removed",
        /// A product was clicked in a list.
        Clicked "clicked",
        /// A list of products, such as a category, was viewed.
        ListViewed "list_viewed",
        /// Something was searched for.
        Searched "searched",
        /// The cart was viewed.
        CartViewed "cart_viewed",
        /// The checkout began.
        CheckoutStarted "checkout_started",
        /// An order was completed. Browser and server may both tell of it: it counts once.
        Ordered "ordered",
        /// A page was viewed.
        PageViewed "page_viewed",
        /// A campaign was shown.
        CampaignShown "campaign_shown",
        /// A campaign was clicked.
        CampaignClicked "campaign_clicked",
        /// A campaign was closed.
        CampaignDismissed "campaign_dismissed",
        /// A recommendation slot was shown.
        SlotShown "slot_shown",
        /// A product of a recommendation slot was clicked.
        SlotClicked "slot_clicked",
    }
}

/// What an event is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventName {
    /// One with a word of its own.
    Known(KnownEvent),
    /// One that the shop named, letter by letter.
    Named(String),
}

/// What a property of an event has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyTest {
    /// A text; numbers and truth values count as their text.
    Text(TextTest),
    /// A number, or a text that is one.
    Number(Op, i64),
    /// The day of the event ([`EventTime::Date`]).
    Date(Op, Date),
}

impl PropertyTest {
    /// The number in it: of texts, how many there are.
    fn number(&self) -> String {
        match self {
            Self::Number(_, number) => number.to_string(),
            Self::Text(TextTest::OneOf(texts)) => texts.len().to_string(),
            Self::Date(_, date) => date.to_string(),
            Self::Text(_) => String::new(),
        }
    }
}

/// A property of an event, or of one of its products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyFilter {
    /// Its name.
    pub property: String,
    /// What it has to be.
    pub test: PropertyTest,
}

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSelector {
    /// Their name.
    pub name: EventName,
    /// What they have to be: all of it, and of products all of the same product.
    pub filters: Vec<PropertyFilter>,
}

/// What is worked out of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// How many there are.
    Count,
    /// The sum of a property.
    Sum(String),
    /// The average of a property.
    Average(String),
    /// How many different values a property has.
    Distinct(String),
}

impl Measure {
    /// The property that it looks at; None where it only counts.
    #[must_use]
    pub fn property(&self) -> Option<&str> {
        match self {
            Self::Count => None,
            Self::Sum(property) | Self::Average(property) | Self::Distinct(property) => Some(property),
        }
    }

    /// Numbers that it may be compared with.
    #[must_use]
    pub fn bounds(&self) -> (i64, i64) {
        match self {
            Self::Count => (0, MAX_COUNT),
            Self::Distinct(_) => (0, MAX_DISTINCT),
            Self::Sum(_) | Self::Average(_) => (i64::MIN, i64::MAX),
        }
    }
}

/// A question that an accumulator answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventQuery {
    selector: EventSelector,
    measure: Measure,
    keep: u16,
    key: u64,
}

impl EventQuery {
    /// A question whose answer is compared with a number.
    #[must_use]
    pub fn new(selector: EventSelector, measure: Measure, value: i64) -> Self {
        let keep = match measure {
            Measure::Count | Measure::Distinct(_) => KEPT.into_iter().find(|keep| i64::from(*keep) > value),
            Measure::Sum(_) | Measure::Average(_) => None,
        };
        let is_order = selector.name == EventName::Known(KnownEvent::Ordered);
        let least = if is_order { LEAST_ORDERS_KEPT } else { LEAST_KEPT };
        let keep = keep.unwrap_or(MOST_KEPT).max(least);
        let key = fnv_1a(spelled(&selector, &measure, keep).as_bytes());
        Self { selector, measure, keep, key }
    }

    /// The question when something happened.
    #[must_use]
    pub fn of_times(selector: EventSelector) -> Self {
        Self::new(selector, Measure::Count, 0)
    }

    /// Which events.
    #[must_use]
    pub fn selector(&self) -> &EventSelector {
        &self.selector
    }

    /// What of them.
    #[must_use]
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// How many of the latest it takes to answer.
    #[must_use]
    pub fn keep(&self) -> usize {
        usize::from(self.keep)
    }

    /// A fact that asks it, whatever the answer is: so it crosses from one object to another.
    #[must_use]
    pub fn asked(&self) -> EventFact {
        let value = i64::from(self.keep - 1).min(self.measure.bounds().1);
        EventFact::Compared { query: self.clone(), within: None, after: None, op: Op::AtLeast, value }
    }

    /// Names its accumulator: the same question has the same for ever.
    #[must_use]
    pub fn key(&self) -> u64 {
        self.key
    }
}

/// A question as a text that no other has: each part has its length before it.
fn spelled(selector: &EventSelector, measure: &Measure, keep: u16) -> String {
    let mut parts: Vec<&str> = match &selector.name {
        EventName::Known(known) => vec![known.as_str()],
        EventName::Named(name) => vec!["event", name],
    };
    let numbers: Vec<String> = selector.filters.iter().map(|filter| filter.test.number()).collect();
    for (PropertyFilter { property, test }, number) in selector.filters.iter().zip(&numbers) {
        parts.push(property);
        match test {
            PropertyTest::Text(TextTest::OneOf(texts)) => {
                parts.extend(["in", number]);
                parts.extend(texts.iter().map(String::as_str));
            }
            PropertyTest::Text(TextTest::Contains(text)) => parts.extend(["contains", text]),
            PropertyTest::Text(TextTest::StartsWith(text)) => parts.extend(["starts_with", text]),
            PropertyTest::Text(TextTest::Set) => parts.push("set"),
            PropertyTest::Number(op, _) | PropertyTest::Date(op, _) => parts.extend([op.as_str(), number]),
        }
    }
    let keep = keep.to_string();
    let word = match measure {
        Measure::Count => "count",
        Measure::Sum(_) => "sum",
        Measure::Average(_) => "average",
        Measure::Distinct(_) => "distinct",
    };
    parts.extend([word, measure.property().unwrap_or_default(), &keep]);
    parts.into_iter().map(|part| format!("{}:{part}", part.len())).collect()
}

/// FNV-1a, 64 bits (draft-eastlake-fnv, section 2).
#[must_use]
pub fn fnv_1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

facts! {
    /// Which of several events.
    Which {
        /// The first one ever.
        First "first",
        /// The latest one.
        Last "last",
    }
}

/// A fact about what a person did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventFact {
    /// Whether a number of some events compares so. An average of none does not.
    Compared {
        /// What is asked.
        query: EventQuery,
        /// Only of those within this span.
        within: Option<Span>,
        /// Only of those after the latest of these. Where there is none of these, it does not hold.
        after: Option<EventQuery>,
        /// The comparison.
        op: Op,
        /// What to compare with.
        value: i64,
    },
    /// Whether one of them happened less long ago.
    Within(Which, EventQuery, Span),
    /// Whether one of them happened so long ago, or longer.
    Before(Which, EventQuery, Span),
}

impl EventFact {
    /// What it asks.
    pub fn queries(&self) -> impl Iterator<Item = &EventQuery> {
        let (first, second) = match self {
            Self::Compared { query, after, .. } => (query, after.as_ref()),
            Self::Within(_, query, _) | Self::Before(_, query, _) => (query, None),
        };
        std::iter::once(first).chain(second)
    }

    /// Whether the passage of time alone can change the answer.
    #[must_use]
    pub fn asks_of_time(&self) -> bool {
        !matches!(self, Self::Compared { within: None, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewed(measure: Measure, value: i64) -> EventQuery {
        EventQuery::new(
            EventSelector { name: EventName::Known(KnownEvent::Viewed), filters: Vec::new() },
            measure,
            value,
        )
    }

    #[test]
    fn an_accumulator_keeps_what_its_comparison_needs() {
        for (value, keep) in [(0, 4), (3, 4), (4, 16), (15, 16), (16, 128), (999, 1_000)] {
            assert_eq!(viewed(Measure::Count, value).keep(), keep, "{value}");
        }
        assert_eq!(viewed(Measure::Sum("price".to_owned()), 1).keep(), 1_000);
    }

    #[cfg(feature = "serde")]
    #[test]
    fn a_question_crosses_as_a_fact_that_asks_it() {
        let property = || "brand".to_owned();
        let counts = [0, 3, 4, 15, 100, 128, 999].map(|value| viewed(Measure::Count, value));
        let distinct = [0, 4, 16, 100].map(|value| viewed(Measure::Distinct(property()), value));
        let sums = [Measure::Sum(property()), Measure::Average(property())].map(|measure| viewed(measure, 5));
        for query in counts.into_iter().chain(distinct).chain(sums) {
            let leaf = crate::event_query_json::write(&query.asked());
            let read = crate::event_query_json::read(&leaf).unwrap();
            assert_eq!(read.queries().collect::<Vec<_>>(), [&query]);
        }
    }

    #[test]
    fn the_same_question_has_the_same_key_for_ever() {
        assert_eq!(viewed(Measure::Count, 2).key(), viewed(Measure::Count, 3).key());
        assert_eq!(viewed(Measure::Count, 3).key(), 9_456_993_189_681_144_644, "stored rows know it by this");
        assert_ne!(viewed(Measure::Count, 3).key(), viewed(Measure::Count, 4).key());
        assert_ne!(viewed(Measure::Sum("a".to_owned()), 0).key(), viewed(Measure::Average("a".to_owned()), 0).key());
    }
}
