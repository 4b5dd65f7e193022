//! Segments at a shard: their sizes, people and movement.

use std::collections::BTreeSet;
use std::time::Duration;

use endcap_engine::segment::members::Member;
use endcap_engine::segment::view::ShardSegments;
use endcap_profile::Person;
use endcap_profile::fragment_rows::Wanted;
use endcap_protocol::UnixMillis;
use worker::{Delay, Response};

use super::object::ProfileShard;
use super::store::Store;
use super::table::meta::PROFILES;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::segments::{MembersAsk, MovementsAsk, SegmentsAsk, ShardMovements};
use crate::rpc::snapshots;

/// People who are read at a time: that takes some milliseconds.
const STEP: usize = 40;
/// The rest after that, in milliseconds, in which others have their turn.
const REST_MS: u64 = 1;

impl ProfileShard {
    /// What the shard knows of its segments. Everybody is held against the version that is asked for, if they were not yet.
    pub(super) async fn segments_route(&self, ask: &SegmentsAsk) -> Result<Response, EdgeError> {
        if self.store.db.transaction(|| self.store.begin_fill(ask.version))? {
            self.arm_at(Some(clock::now())).await?;
        }
        let profiles = self.store.meta(PROFILES)?.unsigned_abs();
        let net = ask.born.iter().map(|(id, born)| Ok((id.clone(), self.store.net_movement(id, *born)?)));
        let net = net.collect::<Result<_, EdgeError>>()?;
        response::json(&ShardSegments { net, fill: self.store.fill()?.state(profiles) })
    }

    /// Some members of a segment.
    pub(super) async fn members_route(&self, ask: &MembersAsk) -> Result<Response, EdgeError> {
        let found = self.store.members_after((&ask.segment, ask.born), &ask.after, ask.limit)?;
        let mut members = Vec::with_capacity(found.len());
        for (read, (profile_id, since)) in found.into_iter().enumerate() {
            if read > 0 && read % STEP == 0 {
                Delay::from(Duration::from_millis(REST_MS)).await;
            }
            members.push(self.store.member(profile_id, since));
        }
        response::json(&members)
    }

    /// How a segment moved.
    pub(super) async fn movements_route(&self, ask: &MovementsAsk) -> Result<Response, EdgeError> {
        let now = clock::now();
        let snapshot = snapshots::current(&self.env, now).await?;
        let today = snapshot.calendar.day(now);
        let from = today.saturating_sub(i64::try_from(ask.days).unwrap_or(i64::MAX));
        response::json(&ShardMovements {
            net: self.store.net_movement(&ask.segment, ask.born)?,
            today,
            days: self.store.movements(&ask.segment, ask.born, from)?,
        })
    }
}

impl Store {
    /// A member as it is shown: of one whose row cannot be read, only its name.
    fn member(&self, profile_id: String, since: UnixMillis) -> Member {
        let read = || {
            let Some(mut row) = self.load_with(&profile_id, Wanted::Named(&BTreeSet::new()))? else { return Ok(None) };
            row.read_digests(self, None)?;
            let user_ids = row.users().into_iter().map(str::to_owned).collect();
            let orders = Person::of(&row).behaviour.orders;
            Ok::<_, EdgeError>(Some((user_ids, row.stages.current().stage, orders)))
        };
        let (user_ids, stage, orders) = read()
            .unwrap_or_else(|error| {
                worker::console_error!("the member {profile_id} cannot be read: {error}");
                None
            })
            .unwrap_or_default();
        Member { profile_id, since, user_ids, stage, orders }
    }
}
