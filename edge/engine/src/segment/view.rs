//! Segments as the API shows them.

use std::collections::BTreeMap;

use endcap_profile::memberships::Memberships;
use endcap_protocol::{SegmentId, UnixMillis};
use endcap_targeting::text::print;
use endcap_validation::json::is_default;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::definition::{Definition, Segment, Segments};
use super::fill::FillState;

/// What a shard knows of its segments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShardSegments {
    /// What all movement together brought, by segment. Over all shards that is its size; at one it may be below 0, because people
    /// move between shards.
    pub net: BTreeMap<SegmentId, i64>,
    /// How its fill is.
    pub fill: FillState,
}

/// What all shards know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AllShards {
    sizes: BTreeMap<SegmentId, i64>,
    fills: Vec<FillState>,
}

impl AllShards {
    /// Adds a shard.
    pub fn add(&mut self, shard: ShardSegments) {
        for (segment, net) in shard.net {
            *self.sizes.entry(segment).or_default() += net;
        }
        self.fills.push(shard.fill);
    }

    /// People in a segment.
    #[must_use]
    pub fn size(&self, segment: &SegmentId) -> u64 {
        self.sizes.get(segment).map_or(0, |size| (*size).max(0).unsigned_abs())
    }

    /// How far the fill for a version is; None where all shards have it.
    fn fill(&self, since: u64) -> Option<FillView> {
        let waiting = self.fills.iter().filter(|fill| fill.complete < since);
        let shards = waiting.count();
        (shards > 0).then(|| FillView {
            shards_left: shards as u64,
            looked_at: self.fills.iter().map(|fill| if fill.complete < since { fill.looked_at } else { fill.of }).sum(),
            of: self.fills.iter().map(|fill| fill.of.max(fill.looked_at)).sum(),
        })
    }

    fn unreadable(&self) -> u64 {
        self.fills.iter().map(|fill| fill.unreadable).sum()
    }
}

/// How far everybody was held against a new or changed definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FillView {
    /// Shards that are not through.
    pub shards_left: u64,
    /// People who were looked at.
    pub looked_at: u64,
    /// People there are, about.
    pub of: u64,
}

/// A segment.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SegmentView {
    /// Its ID.
    pub id: String,
    /// Counts up with each change.
    pub version: u32,
    /// When its condition became what it is, Unix milliseconds.
    pub changed_at: UnixMillis,
    /// As it was saved.
    #[serde(flatten)]
    pub definition: Definition,
    /// Whether it is a list, onto which people are put by name.
    #[serde(rename = "list")]
    pub is_list: bool,
    /// The condition as text. Null where only a newer version of Endcap can read it.
    pub text: Option<String>,
    /// People in it. While `filling` says something, not all people were held against it.
    pub size: u64,
    /// When they were counted, Unix milliseconds.
    pub as_of: UnixMillis,
    /// How far a new or changed definition is; null once the size is complete.
    pub filling: Option<FillView>,
    /// Only of a condition that asks for events: those since then are counted, Unix milliseconds. What was older when it was saved, the log
    /// did not have any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_since: Option<UnixMillis>,
    /// Profiles that could not be read when everybody was looked at: they are in no segment until something happens to them.
    #[serde(skip_serializing_if = "is_default")]
    pub unreadable: u64,
}

/// All segments.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SegmentList {
    /// In order of their IDs.
    pub segments: Vec<SegmentView>,
}

impl SegmentView {
    /// A segment with what all shards know of it. `log_ms` is how long they keep the log of events, in milliseconds.
    #[must_use]
    pub fn new(segment: &Segment, shards: &AllShards, as_of: UnixMillis, log_ms: UnixMillis) -> Self {
        let saved = &segment.saved;
        Self {
            id: saved.id.as_str().to_owned(),
            version: saved.version,
            changed_at: saved.changed_at,
            definition: saved.definition.clone(),
            is_list: segment.is_list,
            text: segment.condition.as_ref().map(print),
            size: shards.size(&saved.id),
            as_of,
            filling: shards.fill(segment.since),
            events_since: (!segment.events.is_empty()).then(|| segment.changed_at.saturating_sub(log_ms)),
            unreadable: shards.unreadable(),
        }
    }
}

/// A segment that a person is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PersonSegment {
    /// The segment.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Since when they are in it, Unix milliseconds.
    pub since: UnixMillis,
}

impl PersonSegment {
    /// The segments that a person is in.
    #[must_use]
    pub fn all_of(memberships: Option<&Memberships>, segments: &Segments) -> Vec<Self> {
        let held = memberships.into_iter().flat_map(|held| &held.held);
        let named = held.filter_map(|(id, membership)| {
            let name = segments.get(id)?.saved.definition.name.clone();
            Some(Self { id: id.as_str().to_owned(), name, since: membership.since })
        });
        named.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::definition::SavedSegment;
    use super::*;

    #[test]
    fn a_size_is_final_once_every_shard_looked_at_everybody() {
        let id = SegmentId::parse("vip").unwrap();
        let saved = SavedSegment {
            id: id.clone(),
            version: 2,
            since: 7,
            changed_at: 1,
            born: 1,
            definition: Definition {
                name: "VIP".to_owned(),
                condition: json!({"fact": "orders", "op": ">", "value": 4}),
                list: false,
            },
        };
        let read = |since| Segments::read(9, vec![SavedSegment { since, ..saved.clone() }]);
        let shard = |complete, looked_at, size| ShardSegments {
            net: [(id.clone(), size)].into(),
            fill: FillState { complete, looked_at, of: 100, unreadable: 0 },
        };
        let mut all = AllShards::default();
        all.add(shard(7, 0, 6));
        all.add(shard(5, 40, -2));
        let view = SegmentView::new(read(7).get(&id).unwrap(), &all, 9, 0);
        assert_eq!((view.size, view.text.as_deref()), (4, Some("orders > 4")));
        assert_eq!(view.filling, Some(FillView { shards_left: 1, looked_at: 140, of: 200 }));
        let mut all = AllShards::default();
        all.add(shard(7, 0, 3));
        assert_eq!(SegmentView::new(read(7).get(&id).unwrap(), &all, 9, 0).filling, None);
        assert_eq!(SegmentView::new(read(8).get(&id).unwrap(), &AllShards::default(), 9, 0).filling, None);
    }
}
