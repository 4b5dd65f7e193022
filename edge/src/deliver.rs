//! Delivering events that no browser of ours sent.
//!
//! Role in the flow of one event: the entry understood a request that may speak of many people. Here each event finds the
//! history that it belongs to, and each shard gets what its people did in one request. Sending the same events again
//! changes nothing, so whoever gets a fault may simply try again.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::server::history_batch::{Item, Parcel, pack};
use endcap_events::server::{Action, ServerEvent};
use endcap_identity::server_fragment::{Of, derived, foreign};
use endcap_identity::{Identifier, Namespace};
use endcap_protocol::{AnonymousId, FieldError, SourceId, UserId, bucket_of};
use endcap_validation::{EngineError, Trust};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use worker::Env;

use crate::fault::Fault;
use crate::layout::Use;
use crate::{graph, layout, objects};

/// What became of delivered events.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// Message IDs that were kept.
    pub(crate) accepted: Vec<String>,
    /// Message IDs that were kept before.
    pub(crate) duplicate: Vec<String>,
    /// Events that were refused; the index is the event's in the list that was given.
    pub(crate) rejected: Vec<Rejection>,
}

/// Batches for the histories that one shard holds.
#[derive(Serialize)]
struct Load<'a> {
    trust: &'static str,
    parcels: Vec<Piece<'a>>,
}

/// One of them.
#[derive(Serialize)]
struct Piece<'a> {
    profile_id: &'a str,
    batch: Box<RawValue>,
}

/// What the shard says about each batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LoadReply {
    /// In the order of the parcels.
    pub(crate) replies: Vec<PieceReply>,
}

/// What the shard says about one batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum PieceReply {
    /// What became of each event.
    Taken(Box<RawValue>),
    /// The batch as a whole cannot be used.
    Refused(String),
}

/// Delivers events of one source to the histories they belong to. `trust` says how far the sender is believed.
///
/// # Errors
/// When an object cannot be reached or fails: nothing is known about the rest then, and all of it may be sent again.
pub(crate) async fn deliver(
    env: &Env,
    source: &SourceId,
    trust: Trust,
    events: Vec<ServerEvent>,
) -> Result<Delivered, Fault> {
    layout::check(env, Use::Write).await?;
    let mut delivered = Delivered::default();
    let mut finder = Finder { env, source, trust, known: BTreeMap::new() };
    let mut addressed = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match finder.place(event).await? {
            Ok((history, previous)) => {
                let (consent, event) = (event.consent, event.to_wire(previous.as_ref()));
                addressed.push(Item { index, history, consent, event });
            }
            Err(error) => {
                let rejection = Rejection::new(RejectCode::InvalidField, error).of(event.message_id.as_str());
                delivered.rejected.push(rejection.at(index));
            }
        }
    }
    let mut by_shard: BTreeMap<u16, Vec<Parcel>> = BTreeMap::new();
    let placement = layout::placement()?;
    for parcel in pack(source, addressed) {
        let shard = placement.shard_of(bucket_of(parcel.history.as_str()));
        by_shard.entry(shard).or_default().push(parcel);
    }
    let answers = join_all(by_shard.iter().map(|(shard, parcels)| hand_in(env, *shard, trust, parcels))).await;
    for (parcels, answer) in by_shard.values().zip(answers) {
        for (parcel, reply) in parcels.iter().zip(answer?) {
            match reply {
                PieceReply::Taken(reply) => delivered.add(parcel, serde_json::from_str(reply.get())?),
                PieceReply::Refused(why) => delivered.refuse(parcel, &why),
            }
        }
    }
    Ok(delivered)
}

/// Gives one shard its parcels, and says what became of each.
async fn hand_in(env: &Env, shard: u16, trust: Trust, parcels: &[Parcel]) -> Result<Vec<PieceReply>, Fault> {
    let piece = |parcel: &Parcel| RawValue::from_string(parcel.body.clone());
    let mut load = Load { trust: trust.as_str(), parcels: Vec::new() };
    for parcel in parcels {
        load.parcels.push(Piece { profile_id: parcel.history.as_str(), batch: piece(parcel)? });
    }
    let reply: LoadReply = objects::ask(&objects::numbered_shard(env, shard)?, "/parcels", &load).await?;
    if reply.replies.len() != parcels.len() {
        return Err(EngineError::Internal("a shard did not answer for each parcel".to_owned()).into());
    }
    Ok(reply.replies)
}

impl Delivered {
    fn add(&mut self, parcel: &Parcel, reply: BatchReply) {
        self.accepted.extend(reply.accepted);
        self.duplicate.extend(reply.duplicate);
        for rejection in reply.rejected {
            let index = parcel.indices.get(rejection.index).copied().unwrap_or_default();
            self.rejected.push(rejection.relative().at(index));
        }
    }

    fn refuse(&mut self, parcel: &Parcel, why: &str) {
        let refusal = |index: &usize| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", why)).at(*index);
        self.rejected.extend(parcel.indices.iter().map(refusal));
    }
}

/// Finds the histories that events belong to.
struct Finder<'a> {
    env: &'a Env,
    source: &'a SourceId,
    trust: Trust,
    /// User IDs that were asked for in this request, and whether somebody has them.
    known: BTreeMap<UserId, bool>,
}

/// The history that an event goes to, and by which earlier user ID the person is known.
type Place = Result<(AnonymousId, Option<UserId>), FieldError>;

impl Finder<'_> {
    async fn place(&mut self, event: &ServerEvent) -> Result<Place, Fault> {
        let who = &event.who;
        // The history says whose it is with each event, and comes to the person once it is known who that is.
        let history = match (&event.action, &who.anonymous_id, &who.user_id, &who.email) {
            (Action::Alias { previous }, _, user, _) => return self.alias(user.as_ref(), previous).await,
            (_, Some(anonymous), ..) => Ok(anonymous.clone()),
            (_, None, Some(user), _) => derived(self.source, self.trust, Of::User(user.as_str())),
            (_, None, None, Some(email)) => derived(self.source, self.trust, Of::Email(email)),
            (_, None, None, None) => Err(FieldError::new("anonymous_id", "is required where there is no user ID")),
        };
        Ok(history.map(|history| (history, None)))
    }

    /// An alias goes to whom it names by the earlier ID: a known user, else a browser.
    async fn alias(&mut self, user: Option<&UserId>, previous: &str) -> Result<Place, Fault> {
        if user.is_none() {
            return Ok(Err(FieldError::new("user_id", "is required")));
        }
        if let Ok(earlier) = UserId::parse(previous)
            && self.is_known(&earlier).await?
        {
            let history = derived(self.source, self.trust, Of::User(earlier.as_str()));
            return Ok(history.map(|history| (history, Some(earlier))));
        }
        let browser = foreign(previous).ok_or_else(|| FieldError::new("previous_id", "is required"));
        Ok(browser.map(|browser| (browser, None)))
    }

    /// Whether somebody has a user ID. What is only claimed finds nobody.
    async fn is_known(&mut self, user: &UserId) -> Result<bool, Fault> {
        if self.trust == Trust::Claim {
            return Ok(false);
        }
        if let Some(known) = self.known.get(user) {
            return Ok(*known);
        }
        let identifier = Identifier::new(Namespace::UserId, user.as_str())?;
        let known = graph::find(self.env, &identifier).await?.is_some();
        self.known.insert(user.clone(), known);
        Ok(known)
    }
}

/// Batches for one shard as it reads them.
#[derive(Debug, Deserialize)]
pub(crate) struct Taken<'a> {
    /// How far the sender is believed.
    pub(crate) trust: String,
    /// The batches.
    #[serde(borrow)]
    pub(crate) parcels: Vec<TakenPiece<'a>>,
}

/// One batch as the shard reads it.
#[derive(Debug, Deserialize)]
pub(crate) struct TakenPiece<'a> {
    /// The profile it is for.
    pub(crate) profile_id: String,
    /// The batch's text.
    #[serde(borrow)]
    pub(crate) batch: &'a RawValue,
}
