//! Rows of formats 1 and 2, which knew people by proved user IDs and had one fragment per browser and profile.
//!
//! Read and never written: a row that is read in this form is written in the present one when it changes. Format 1 kept
//! the present consent without its history.

use std::collections::BTreeMap;

use endcap_events::traits::Trait;
use endcap_identity::server_fragment::is_derived;
use endcap_identity::{FragmentId, LinkStrength};
use endcap_models::lifecycle::History;
use endcap_models::recommend::VisitContext;
use endcap_protocol::{AnonymousId, DeviceId, ProfileId, UnixMillis, UserId};
use endcap_targeting::Behaviour;
use endcap_validation::Trust;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::consents::ConsentRecord;
use crate::dedupe::Accepted;
use crate::fragment::{Claim, Fragment, Named};
use crate::push_record::PushRecord;
use crate::row::{Away, ProfileRow};
use crate::sessions::Sessions;
use crate::timeline::{ImpressionRecord, OrderRecord, TimelineEvent};
use crate::touchpoint::Touches;
use crate::two_timers::TwoTimers;

/// [`ProfileRow`] as it was, with the fragments of its format.
#[derive(Deserialize)]
#[serde(bound = "Piece: DeserializeOwned")]
pub(super) struct Row<Piece> {
    id: ProfileId,
    fragments: BTreeMap<AnonymousId, Piece>,
    moved: BTreeMap<AnonymousId, ProfileId>,
    users: Vec<UserLink>,
    stages: History,
    timers: TwoTimers,
    pushes: Vec<PushRecord>,
    subscriptions: u32,
}

/// A proved link from a browser to a user ID.
#[derive(Deserialize)]
struct UserLink {
    user_id: UserId,
    anonymous_id: AnonymousId,
    at: UnixMillis,
}

/// [`Fragment`] as it was in format 1.
#[derive(Deserialize)]
pub(super) struct Piece {
    device_id: Option<DeviceId>,
    #[serde(with = "crate::packed::behaviour")]
    behaviour: Behaviour,
    consent_at: Option<UnixMillis>,
    consent_said_at: Option<UnixMillis>,
    zone: String,
    sessions: Sessions,
    touches: Touches,
    traits: BTreeMap<String, (UnixMillis, Trait)>,
    claims: Vec<Claim>,
    orders: Vec<OrderRecord>,
    impressions: Vec<ImpressionRecord>,
    events: Vec<TimelineEvent>,
    accepted: u64,
    visit_context: VisitContext,
    messages: Accepted,
}

/// [`Fragment`] as it was in format 2: followed by the history of consent.
#[derive(Deserialize)]
pub(super) struct PieceWithConsents {
    piece: Piece,
    consents: Vec<ConsentRecord>,
}

impl<Old: Into<Fragment>> From<Row<Old>> for ProfileRow {
    fn from(row: Row<Old>) -> Self {
        // In these formats, a login on another person's browser began a profile. Its name is that of the successor
        // which begins now.
        let begun = FragmentId::parse(row.id.as_str()).ok();
        let is_begun = |id: &AnonymousId| {
            let rest = row.id.as_str().strip_prefix(id.as_str());
            rest.is_some_and(|rest| rest.starts_with('~'))
        };
        let name = |id: &AnonymousId| {
            let first = || FragmentId::first(id);
            begun.clone().filter(|_| is_begun(id)).unwrap_or_else(first)
        };
        let mut fragments: BTreeMap<FragmentId, Fragment> = BTreeMap::new();
        for (id, piece) in row.fragments {
            let mut fragment: Fragment = piece.into();
            fragment.since = fragment.behaviour.first_seen;
            fragment.browser = (!is_derived(&id)).then(|| id.clone());
            if let Some(link) = row.users.iter().find(|link| link.anonymous_id == id) {
                fragment.user = Some(Named { user_id: link.user_id.clone(), trust: Trust::Fact, at: link.at });
                fragment.link_strength = LinkStrength::Proved;
            }
            fragments.insert(name(&id), fragment);
        }
        if let Some(first) = fragments.values_mut().next() {
            first.pushes = row.pushes;
        }
        let mut moved = BTreeMap::new();
        for (id, to) in row.moved {
            // A pointer beside its fragment leads to the person who logged in next, so it names the successor.
            match (fragments.get_mut(&name(&id)), FragmentId::parse(to.as_str())) {
                (Some(fragment), Ok(next)) => fragment.successor = Some(next),
                _ => drop(moved.insert(name(&id), Away { to, version: 0 })),
            }
        }
        Self {
            fragments,
            moved,
            id: row.id,
            stages: row.stages,
            timers: row.timers.into(),
            subscriptions: row.subscriptions,
            possessions: BTreeMap::new(),
            latest: None,
            memberships: None,
            occurrences: BTreeMap::new(),
            devices: BTreeMap::new(),
            lists: BTreeMap::new(),
            tails: BTreeMap::new(),
            apart: None,
        }
    }
}

impl From<Piece> for Fragment {
    fn from(piece: Piece) -> Self {
        Self {
            device_id: piece.device_id,
            behaviour: piece.behaviour,
            consent_at: piece.consent_at,
            consent_said_at: piece.consent_said_at,
            zone: piece.zone,
            sessions: piece.sessions,
            touches: piece.touches,
            traits: piece.traits,
            claims: piece.claims,
            orders: piece.orders,
            impressions: piece.impressions,
            events: piece.events,
            accepted: piece.accepted,
            visit_context: piece.visit_context,
            messages: piece.messages,
            ..Self::default()
        }
    }
}

impl From<PieceWithConsents> for Fragment {
    fn from(piece: PieceWithConsents) -> Self {
        Self { consents: piece.consents, ..piece.piece.into() }
    }
}
