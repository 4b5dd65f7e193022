//! When a profile has to be looked at again: a map from what a timer is for to when it is due.

use std::collections::BTreeMap;
use std::fmt;

use endcap_protocol::UnixMillis;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Age beyond which an armed timer counts as lost, in milliseconds: a day. A timer that failed is tried again at least
/// each hour, so no row waits that long for one.
const LOST_MS: UnixMillis = 86_400_000;

/// What a timer looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKind {
    /// A cart left behind.
    CartLeft,
    /// The lifecycle stage, which changes by time alone.
    Stage,
    /// A step of a journey.
    Journey,
    /// The end of a time that a segment's condition names.
    Segment,
}

impl TimerKind {
    const ALL: [Self; 4] = [Self::CartLeft, Self::Stage, Self::Journey, Self::Segment];

    fn as_str(self) -> &'static str {
        match self {
            Self::CartLeft => "cart_left",
            Self::Stage => "stage",
            Self::Journey => "journey",
            Self::Segment => "segment",
        }
    }
}

/// What a timer is for: what it looks at, which one of them, and at which step. So any number of journeys and segments
/// can wait at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    /// What it looks at.
    pub kind: TimerKind,
    /// Which one: the ID of a journey or a segment; empty where there is only one. Holds no `/`.
    pub which: String,
    /// The step of it; 0 where there is only one.
    pub step: u16,
}

impl TimerKey {
    /// A cart left behind.
    pub const CART_LEFT: Self = Self { kind: TimerKind::CartLeft, which: String::new(), step: 0 };
    /// The lifecycle stage.
    pub const STAGE: Self = Self { kind: TimerKind::Stage, which: String::new(), step: 0 };
    /// The segments, those that change by time alone.
    pub const SEGMENTS: Self = Self { kind: TimerKind::Segment, which: String::new(), step: 0 };

    /// The text by which it is stored: `cart_left`, or `journey/welcome/2`.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// Reads the text. None for what only a newer version knows.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let word = parts.next()?;
        let kind = TimerKind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
        let (which, step) = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => (String::new(), 0),
            (Some(which), Some(step), None) => (which.to_owned(), step.parse().ok()?),
            _ => return None,
        };
        Some(Self { kind, which, step }).filter(|key| key.to_string() == text)
    }
}

impl fmt::Display for TimerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if self.which.is_empty() && self.step == 0 { Ok(()) } else { write!(f, "/{}/{}", self.which, self.step) }
    }
}

impl Serialize for TimerKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimerKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format_args!("no timer is called {text}")))
    }
}

/// The profile's armed timers. The row keeps their times, so the shard finds each in its table without a search.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timers(BTreeMap<TimerKey, UnixMillis>);

impl Timers {
    /// When a timer is due; None where it is not armed.
    #[must_use]
    pub fn due(&self, key: &TimerKey) -> Option<UnixMillis> {
        self.0.get(key).copied()
    }

    /// Every armed timer.
    pub fn iter(&self) -> impl Iterator<Item = (&TimerKey, UnixMillis)> {
        self.0.iter().map(|(key, due)| (key, *due))
    }

    /// Arms a timer, and returns how it moves in the shard's table; None where it stays. An event moves a timer to an
    /// earlier time only. A timer that fires too early is armed anew, which costs fewer rows than a move with each
    /// event. A timer that is overdue by more than a day counts as lost, and is armed anew.
    pub fn arm(&mut self, key: TimerKey, to: UnixMillis, now: UnixMillis) -> Option<TimerMove> {
        let held = self.due(&key);
        if held.is_some_and(|held| held <= to && now.saturating_sub(held) <= LOST_MS) {
            return None;
        }
        self.0.insert(key.clone(), to);
        Some(TimerMove { key, from: held, to })
    }

    /// Arms a timer as it was stored.
    pub(crate) fn restore(&mut self, key: TimerKey, due: Option<UnixMillis>) {
        self.0.extend(due.map(|due| (key, due)));
    }

    /// A timer ran.
    pub fn disarm(&mut self, key: &TimerKey) {
        self.0.remove(key);
    }
}

/// A timer to be moved in the shard's table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimerMove {
    /// What it is for.
    pub key: TimerKey,
    /// Where it was.
    pub from: Option<UnixMillis>,
    /// Where it goes.
    pub to: UnixMillis,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_key_is_the_word_that_rows_have() {
        assert_eq!(TimerKey::CART_LEFT.to_text(), "cart_left");
        assert_eq!(TimerKey::STAGE.to_text(), "stage");
        let step = TimerKey { kind: TimerKind::Journey, which: "welcome".to_owned(), step: 2 };
        assert_eq!(step.to_text(), "journey/welcome/2");
        let unnamed = TimerKey { kind: TimerKind::Journey, which: String::new(), step: 2 };
        for key in [TimerKey::CART_LEFT, TimerKey::STAGE, step, unnamed] {
            assert_eq!(TimerKey::parse(&key.to_text()), Some(key));
        }
        for text in ["", "other", "journey/welcome", "journey/welcome/x", "journey/a/1/2", "stage//0", "cart_left/"] {
            assert_eq!(TimerKey::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_timer_moves_to_an_earlier_time_only() {
        let mut timers = Timers::default();
        let moved = timers.arm(TimerKey::STAGE, 100, 0);
        assert_eq!(moved, Some(TimerMove { key: TimerKey::STAGE, from: None, to: 100 }));
        assert_eq!(timers.arm(TimerKey::STAGE, 100, 0), None);
        assert_eq!(timers.arm(TimerKey::STAGE, 101, 0), None);
        assert_eq!(timers.arm(TimerKey::STAGE, 99, 0).map(|moved| moved.from), Some(Some(100)));
        assert_eq!(timers.due(&TimerKey::CART_LEFT), None);
    }

    #[test]
    fn timers_are_armed_restored_listed_and_disarmed_by_their_keys() {
        let mut timers = Timers::default();
        timers.restore(TimerKey::CART_LEFT, None);
        timers.restore(TimerKey::STAGE, Some(7));
        timers.arm(TimerKey::CART_LEFT, 5, 0);
        let listed: Vec<_> = timers.iter().map(|(key, due)| (key.clone(), due)).collect();
        assert_eq!(listed, [(TimerKey::CART_LEFT, 5), (TimerKey::STAGE, 7)]);
        timers.disarm(&TimerKey::CART_LEFT);
        assert_eq!((timers.due(&TimerKey::CART_LEFT), timers.due(&TimerKey::STAGE)), (None, Some(7)));
    }

    #[test]
    fn a_timer_that_was_lost_is_armed_anew() {
        let mut timers = Timers::default();
        timers.arm(TimerKey::CART_LEFT, 100, 0);
        assert_eq!(timers.arm(TimerKey::CART_LEFT, 500, 100 + LOST_MS), None, "it may still be tried again");
        let moved = timers.arm(TimerKey::CART_LEFT, 500, 101 + LOST_MS);
        assert_eq!(moved, Some(TimerMove { key: TimerKey::CART_LEFT, from: Some(100), to: 500 }));
    }

    proptest! {
        #[test]
        fn every_key_is_read_as_it_was_written(kind in 0_usize..4, which in "[a-zA-Z0-9 _~.-]{0,20}", step in 0_u16..) {
            let key = TimerKey { kind: TimerKind::ALL[kind], which, step };
            prop_assert_eq!(TimerKey::parse(&key.to_text()), Some(key));
        }
    }
}
