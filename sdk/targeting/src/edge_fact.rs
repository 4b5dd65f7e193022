//! What a condition asks that a page cannot know.

use endcap_protocol::{SegmentId, UnixMillis};

use crate::customer_score::{GroupModel, ScoreNumber};
use crate::device::DeviceText;
use crate::event_query::EventFact;
use crate::fact_names::facts;
use crate::op::Op;
use crate::span::Span;
use crate::text_test::TextTest;

/// Most days ahead of an anniversary.
pub const MAX_AHEAD: u16 = 180;

/// A question that only the edge can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeFact {
    /// Whether the person is in a segment.
    Segment(SegmentId),
    /// Whether somebody put the person on the list that a segment is.
    Listed(SegmentId),
    /// Whether the person is in a segment, for less long than this.
    EnteredWithin(SegmentId, Span),
    /// Whether the person is in a segment, for so long or longer.
    EnteredBefore(SegmentId, Span),
    /// Whether the day and month of a trait that is a date come within the shop's next days, today included.
    Anniversary {
        /// The trait.
        name: String,
        /// Days, 1 to [`MAX_AHEAD`].
        days: u16,
    },
    /// Whether a number compares so. It does not while there is nothing to count from.
    Number {
        /// The number.
        fact: PersonNumber,
        /// Only of orders within this span; None for all.
        within: Option<Span>,
        /// The comparison.
        op: Op,
        /// What to compare with.
        value: i64,
    },
    /// Whether something happened lately.
    Within(PersonTime, Span),
    /// Whether something happened for the last time, or began, so long ago or longer.
    Before(PersonTime, Span),
    /// Whether a text is so.
    Text(PersonText, TextTest),
    /// Whether a trait that is a number compares so. It does not where there is none.
    TraitNumber {
        /// The trait.
        name: String,
        /// The comparison.
        op: Op,
        /// What to compare with.
        value: i64,
    },
    /// Whether a trait that is a date or a moment lies less long ago than this.
    TraitWithin(String, Span),
    /// Whether a trait that is a date or a moment lies so long ago, or longer.
    TraitBefore(String, Span),
    /// Whether it is so.
    Flag(PersonFlag),
    /// Whether a product is in the cart.
    CartProduct(String),
    /// Whether a product of a category is in the cart.
    CartCategory(String),
    /// Something about what the person did.
    Event(Box<EventFact>),
    /// Whether a score compares so. It does not where there is none.
    Score {
        /// The score.
        fact: ScoreNumber,
        /// The comparison.
        op: Op,
        /// What to compare with.
        value: i64,
    },
    /// Whether the person is in one of these groups of a model.
    Group(GroupModel, Vec<&'static str>),
}

facts! {
    /// A number about a person's orders. Money is in minor units of the shop's currency, and of orders in it.
    PersonNumber {
        /// Orders. Without a span the page knows it too ([`Fact::Orders`](crate::condition::Fact::Orders)).
        Orders "orders",
        /// What they brought.
        Revenue "revenue",
        /// What one brought on average, rounded.
        AverageOrder "average_order",
        /// What the most valuable brought.
        HighestOrder "highest_order",
        /// Units bought.
        OrderUnits "order_units",
        /// What the first one brought.
        FirstOrderValue "first_order_value",
        /// What the last one brought.
        LastOrderValue "last_order_value",
    }
}

facts! {
    /// A moment in a person's life with the shop.
    PersonTime {
        /// The first event.
        FirstSeen "first_seen",
        /// The latest event.
        LastSeen "last_seen",
        /// The first order.
        FirstOrder "first_order",
        /// The latest order.
        LastOrder "last_order",
        /// The latest change of a cart that is not empty.
        CartChanged "cart_changed",
    }
}

facts! {
    /// Something that is so or not.
    PersonFlag {
        /// Somebody proved who they are.
        Known "known",
        /// Analytics is consented to.
        ConsentAnalytics "consent_analytics",
        /// Personalization is consented to.
        ConsentPersonalization "consent_personalization",
        /// A browser of theirs is subscribed to web push.
        PushReachable "push_reachable",
    }
}

facts! {
    /// What is known of an arrival.
    TouchText {
        /// The channel.
        Channel "channel",
        /// The source.
        Source "source",
        /// The medium.
        Medium "medium",
        /// The campaign.
        Campaign "campaign",
        /// The parameter of a click identifier.
        ClickId "click_id",
        /// Path of the page.
        LandingPage "landing_page",
    }
}

/// A text about a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PersonText {
    /// A trait, as text.
    Trait(String),
    /// Of the first arrival.
    First(TouchText),
    /// Of the latest arrival.
    Last(TouchText),
    /// IANA time zone of the browser that came last.
    TimeZone,
    /// Of the device that came last.
    Device(DeviceText),
}

/// What a part of a condition compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A number, or a moment.
    Number(i64),
    /// A stage, a path or another text.
    Text(String),
}

/// What answers such questions of a person.
pub trait EdgeFacts {
    /// Whether everything is known that the answer depends on. Where it is not, the answer may be wrong.
    fn knows(&self, fact: &EdgeFact) -> bool;

    /// Whether the answer is yes at a time.
    fn holds(&self, fact: &EdgeFact, now: UnixMillis) -> bool;

    /// What it saw; None for what is only so or not, and where there is nothing.
    fn saw(&self, fact: &EdgeFact, now: UnixMillis) -> Option<Seen>;

    /// When the answer, or the number that it compares, next changes by the passage of time alone.
    fn changes(&self, fact: &EdgeFact, now: UnixMillis) -> Option<UnixMillis>;
}

impl EdgeFact {
    /// Whether the passage of time alone can change the answer.
    #[must_use]
    pub fn asks_of_time(&self) -> bool {
        match self {
            Self::Number { within, .. } => within.is_some(),
            Self::Within(..) | Self::Before(..) | Self::EnteredWithin(..) | Self::EnteredBefore(..) => true,
            Self::Anniversary { .. } | Self::TraitWithin(..) | Self::TraitBefore(..) => true,
            Self::Event(fact) => fact.asks_of_time(),
            Self::Group(model, _) => *model == GroupModel::Napl,
            Self::Segment(_) | Self::Text(..) | Self::Flag(_) | Self::CartProduct(_) | Self::CartCategory(_) => false,
            Self::Score { .. } | Self::Listed(_) | Self::TraitNumber { .. } => false,
        }
    }

    /// The segment that it asks for.
    #[must_use]
    pub fn segment(&self) -> Option<&SegmentId> {
        match self {
            Self::Segment(id) | Self::Listed(id) | Self::EnteredWithin(id, _) | Self::EnteredBefore(id, _) => Some(id),
            _ => None,
        }
    }

    /// Whether only whole fragments tell: a text of a person, or a date. What is known of devices lies in the head.
    #[must_use]
    pub fn asks_for_texts(&self) -> bool {
        match self {
            Self::Text(text, _) => !matches!(text, PersonText::Device(_)),
            Self::Anniversary { .. } | Self::TraitNumber { .. } | Self::TraitWithin(..) | Self::TraitBefore(..) => true,
            _ => false,
        }
    }

    /// Whether a fit of the shop's models can change the answer.
    #[must_use]
    pub fn asks_of_fit(&self) -> bool {
        matches!(self, Self::Score { .. } | Self::Group(GroupModel::Rfm, _))
    }
}

/// Somebody of whom the edge knows nothing: every answer is no.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl EdgeFacts for Nobody {
    fn knows(&self, _: &EdgeFact) -> bool {
        true
    }

    fn holds(&self, _: &EdgeFact, _: UnixMillis) -> bool {
        false
    }

    fn saw(&self, _: &EdgeFact, _: UnixMillis) -> Option<Seen> {
        None
    }

    fn changes(&self, _: &EdgeFact, _: UnixMillis) -> Option<UnixMillis> {
        None
    }
}
