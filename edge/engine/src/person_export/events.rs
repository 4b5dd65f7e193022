//! Pages over the stored events of a person.

use endcap_protocol::{FieldError, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Most events of one page.
pub const PAGE: usize = 200;

/// One event as it was sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LoggedEvent {
    /// When it was received.
    pub received_at: UnixMillis,
    /// The fragment that it belongs to.
    pub fragment_id: String,
    /// Its text.
    #[schemars(with = "serde_json::Value")]
    pub event: Box<RawValue>,
}

/// One page of events, those received last at the front.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct EventPage {
    /// The events.
    pub events: Vec<LoggedEvent>,
    /// Where the next page begins; none after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// A place in the events of all shards, in the order in which they are listed: the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogPlace {
    /// When the batch was received.
    pub received_at: UnixMillis,
    /// Number of the shard that has it.
    pub shard: u16,
    /// Its number there.
    pub seq: i64,
    /// Place of the event in the batch.
    pub index: u32,
}

/// Largest number that JavaScript, through which storage is asked, holds exactly.
const EXACT: i64 = (1 << 53) - 1;

impl LogPlace {
    /// Before everything: where the first page begins.
    pub const START: Self = Self { received_at: EXACT, shard: u16::MAX, seq: EXACT, index: u32::MAX };

    /// Reads a cursor.
    ///
    /// # Errors
    /// When it is none of ours.
    pub fn parse(text: &str) -> Result<Self, FieldError> {
        let wrong = || FieldError::new("cursor", "must be the cursor of an earlier answer");
        let mut parts = text.split('.').map(|part| part.parse::<i64>().ok().filter(|n| (0..=EXACT).contains(n)));
        let mut next = || parts.next().flatten().ok_or_else(wrong);
        let (received_at, shard, seq, index) = (next()?, next()?, next()?, next()?);
        let (shard, index) = (u16::try_from(shard).map_err(|_| wrong())?, u32::try_from(index).map_err(|_| wrong())?);
        if text.len() > 60 || text.split('.').count() != 4 {
            return Err(wrong());
        }
        Ok(Self { received_at, shard, seq, index })
    }

    /// The cursor.
    #[must_use]
    pub fn to_text(self) -> String {
        format!("{}.{}.{}.{}", self.received_at, self.shard, self.seq, self.index)
    }

    /// The highest number that a batch of a shard may have that was received in the same millisecond.
    #[must_use]
    pub fn bound_in(self, shard: u16) -> i64 {
        match shard.cmp(&self.shard) {
            std::cmp::Ordering::Less => EXACT,
            std::cmp::Ordering::Equal => self.seq,
            std::cmp::Ordering::Greater => -1,
        }
    }
}

/// A stored batch.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoggedBatch {
    /// Its number in its shard.
    pub seq: i64,
    /// When it was received.
    pub received_at: UnixMillis,
    /// The fragment that it belongs to.
    pub fragment_id: String,
    /// Place of the first of its events among those of its number.
    #[serde(default)]
    pub first_index: u32,
    /// The events, in the order in which they were sent.
    pub events: Vec<Box<RawValue>>,
}

/// Puts the batches of all shards into one page after a place.
#[must_use]
pub fn page(batches: Vec<(u16, LoggedBatch)>, after: LogPlace, limit: usize) -> EventPage {
    let mut all: Vec<(LogPlace, LoggedEvent)> = Vec::new();
    for (shard, batch) in batches {
        let LoggedBatch { seq, received_at, fragment_id, first_index, events } = batch;
        for (index, event) in events.into_iter().enumerate() {
            let index = first_index.saturating_add(u32::try_from(index).unwrap_or(u32::MAX));
            let place = LogPlace { received_at, shard, seq, index };
            if place < after {
                all.push((place, LoggedEvent { received_at, fragment_id: fragment_id.clone(), event }));
            }
        }
    }
    all.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let more = all.len() > limit;
    all.truncate(limit);
    let cursor = all.last().filter(|_| more).map(|(place, _)| place.to_text());
    EventPage { events: all.into_iter().map(|(_, event)| event).collect(), cursor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(seq: i64, received_at: i64, count: usize) -> LoggedBatch {
        let event = |n: usize| RawValue::from_string(format!("\"{received_at}-{seq}-{n}\"")).unwrap();
        LoggedBatch {
            seq,
            received_at,
            fragment_id: "f".to_owned(),
            first_index: 0,
            events: (0..count).map(event).collect(),
        }
    }

    proptest! {
        #[test]
        fn pages_hold_every_event_once_and_the_latest_first(
            shape in proptest::collection::vec((0_u16..3, 0_i64..4, 1_usize..4), 0..20),
            limit in 1_usize..7,
        ) {
            let stored: Vec<(u16, LoggedBatch)> =
                shape.iter().enumerate().map(|(seq, (shard, at, n))| (*shard, batch(seq as i64, *at, *n))).collect();
            let (mut after, mut listed) = (LogPlace::START, Vec::new());
            loop {
                // As a shard answers: the first `limit + 1` batches that may hold something after the place.
                let mut asked = Vec::new();
                for shard in 0..3 {
                    let bound = after.bound_in(shard);
                    let fits = |one: &LoggedBatch| {
                        one.received_at < after.received_at || (one.received_at == after.received_at && one.seq <= bound)
                    };
                    let mut own: Vec<_> =
                        stored.iter().filter(|(of, one)| *of == shard && fits(one)).cloned().collect();
                    own.sort_by_key(|(_, one)| std::cmp::Reverse((one.received_at, one.seq)));
                    own.truncate(limit + 2);
                    asked.extend(own);
                }
                let page = page(asked, after, limit);
                listed.extend(page.events.iter().map(|one| (one.received_at, one.event.get().to_owned())));
                let Some(cursor) = page.cursor else { break };
                after = LogPlace::parse(&cursor).unwrap();
            }
            prop_assert!(listed.windows(2).all(|two| two[0].0 >= two[1].0));
            let count: usize = shape.iter().map(|(_, _, n)| n).sum();
            prop_assert_eq!(listed.len(), count);
            listed.sort();
            listed.dedup();
            prop_assert_eq!(listed.len(), count);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "1", "1.2.3", "1.2.3.4.5", "1.-2.3.4", "a.b.c.d", "1.70000.3.4", "9007199254740993.1.1.1"] {
            assert!(LogPlace::parse(text).is_err(), "{text}");
        }
        let place = LogPlace { received_at: 5, shard: 1, seq: 9, index: 3 };
        assert_eq!(LogPlace::parse(&place.to_text()).unwrap(), place);
    }
}
