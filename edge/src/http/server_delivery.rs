//! Delivering events that no browser of ours sent.
//!
//! Role in the flow of one event: the entry has parsed a request that may be about many people. This module finds the
//! history of each event, and sends each shard its history batches in one request. Sending the same events again
//! changes nothing, so a client that gets an error may simply try again.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::server::history_batch::{HistoryBatch, Item, pack};
use endcap_events::server::{Action, ServerEvent};
use endcap_identity::server_fragment::{Of, derived, foreign};
use endcap_identity::{Identifier, Namespace};
use endcap_protocol::{AnonymousId, FieldError, SourceId, UnixMillis, UserId, bucket_of};
use endcap_validation::{DomainError, Trust};
use futures_util::future::join_all;
use serde_json::value::RawValue;
use worker::{Env, console_error};

use super::incoming::Incoming;
use super::rate_limits;
use crate::platform::error::EdgeError;
use crate::rpc::delivery::{DeliverItem, DeliverRequest, ItemReply};
use crate::rpc::placement::Use;
use crate::rpc::{call, graph, namespace, placement};

/// What became of delivered events.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// Message IDs that were kept.
    pub(super) accepted: Vec<String>,
    /// Message IDs that were kept before.
    pub(super) duplicate: Vec<String>,
    /// Events that were refused; the index is the event's in the list that was given.
    pub(super) rejected: Vec<Rejection>,
}

/// Delivers what the reader of a message did, while the answer is already on its way. What is beyond the bound is counted
/// as refused.
pub(super) fn deliver_later(incoming: &Incoming<'_>, source: SourceId, event: ServerEvent, now: UnixMillis) {
    let admitted = rate_limits::admit_reader(incoming.request.inner(), incoming.config);
    let env = incoming.env.clone();
    incoming.context.wait_until(async move {
        if admitted.is_err() {
            rate_limits::count_refused(&env, source.as_str(), 1, now).await;
        } else if let Err(error) = deliver(&env, &source, Trust::Fact, vec![event]).await {
            console_error!("event of {}: {error}", source.as_str());
        }
    });
}

/// Delivers events of one source to the histories they belong to. `trust` says how far the sender is believed.
///
/// # Errors
/// When an object cannot be reached or fails: nothing is known about the rest then, and all of it may be sent again.
pub(super) async fn deliver(
    env: &Env,
    source: &SourceId,
    trust: Trust,
    events: Vec<ServerEvent>,
) -> Result<Delivered, EdgeError> {
    placement::check(env, Use::Write).await?;
    let mut delivered = Delivered::default();
    let mut finder = Finder { env, source, trust, known: BTreeMap::new() };
    let mut addressed = Vec::new();
    for (index, event) in events.iter().enumerate() {
        match finder.addressee(event).await? {
            Ok(Addressee { history, previous }) => {
                let (consent, event) = (event.consent, event.to_wire(previous.as_ref()));
                addressed.push(Item { index, history, consent, event });
            }
            Err(error) => {
                let rejection = Rejection::new(RejectCode::InvalidField, error).of(event.message_id.as_str());
                delivered.rejected.push(rejection.at(index));
            }
        }
    }
    let mut by_shard: BTreeMap<u16, Vec<HistoryBatch>> = BTreeMap::new();
    let placement = placement::placement()?;
    for batch in pack(source, addressed) {
        let shard = placement.shard_of(bucket_of(batch.history.as_str()));
        by_shard.entry(shard).or_default().push(batch);
    }
    let answers = join_all(by_shard.iter().map(|(shard, batches)| hand_in(env, *shard, trust, batches))).await;
    for (batches, answer) in by_shard.values().zip(answers) {
        for (batch, reply) in batches.iter().zip(answer?) {
            match reply {
                ItemReply::Taken(reply) => delivered.add(batch, serde_json::from_str(reply.get())?),
                ItemReply::Refused(why) => delivered.refuse(batch, &why),
            }
        }
    }
    Ok(delivered)
}

/// Gives one shard its batches, and says what became of each.
async fn hand_in(env: &Env, shard: u16, trust: Trust, batches: &[HistoryBatch]) -> Result<Vec<ItemReply>, EdgeError> {
    let texts = batches.iter().map(|batch| RawValue::from_string(batch.body.clone()));
    let texts = texts.collect::<Result<Vec<Box<RawValue>>, _>>()?;
    let items = batches
        .iter()
        .zip(&texts)
        .map(|(batch, text)| DeliverItem { profile_id: batch.history.as_str().into(), batch: text });
    let request = DeliverRequest { trust, items: items.collect() };
    let reply = call::ask(&namespace::numbered_shard(env, shard)?, &request).await?;
    if reply.replies.len() != batches.len() {
        return Err(DomainError::Internal("a shard did not answer for each batch".to_owned()).into());
    }
    Ok(reply.replies)
}

impl Delivered {
    fn add(&mut self, batch: &HistoryBatch, reply: BatchReply) {
        self.accepted.extend(reply.accepted);
        self.duplicate.extend(reply.duplicate);
        for rejection in reply.rejected {
            let index = batch.indices.get(rejection.index).copied().unwrap_or_default();
            self.rejected.push(rejection.relative().at(index));
        }
    }

    fn refuse(&mut self, batch: &HistoryBatch, why: &str) {
        let refusal = |index: &usize| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", why)).at(*index);
        self.rejected.extend(batch.indices.iter().map(refusal));
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

/// The history that an event goes to, and for an alias the earlier user ID, if somebody has it.
struct Addressee {
    history: AnonymousId,
    previous: Option<UserId>,
}

impl Addressee {
    fn of(history: AnonymousId) -> Self {
        Self { history, previous: None }
    }
}

impl Finder<'_> {
    async fn addressee(&mut self, event: &ServerEvent) -> Result<Result<Addressee, FieldError>, EdgeError> {
        let who = &event.who;
        // Each event of a history carries its identifiers, so the graph assigns the history once it knows the person.
        let history = match (&event.action, &who.anonymous_id, &who.user_id, &who.email) {
            (Action::Alias { previous }, _, user, _) => return self.alias(user.as_ref(), previous).await,
            (_, Some(anonymous), ..) => Ok(anonymous.clone()),
            (_, None, Some(user), _) => derived(self.source, self.trust, Of::User(user.as_str())),
            (_, None, None, Some(email)) => derived(self.source, self.trust, Of::Email(email)),
            (_, None, None, None) => Err(FieldError::new("anonymous_id", "is required where there is no user ID")),
        };
        Ok(history.map(Addressee::of))
    }

    /// An alias goes to the history that its earlier ID names: a known user's, else a browser's.
    async fn alias(
        &mut self,
        user: Option<&UserId>,
        previous: &str,
    ) -> Result<Result<Addressee, FieldError>, EdgeError> {
        if user.is_none() {
            return Ok(Err(FieldError::new("user_id", "is required")));
        }
        if let Ok(earlier) = UserId::parse(previous)
            && self.is_known(&earlier).await?
        {
            let history = derived(self.source, self.trust, Of::User(earlier.as_str()));
            return Ok(history.map(|history| Addressee { history, previous: Some(earlier) }));
        }
        let browser = foreign(previous).ok_or_else(|| FieldError::new("previous_id", "is required"));
        Ok(browser.map(Addressee::of))
    }

    /// Whether somebody has a user ID. Always false for a sender that can only claim.
    async fn is_known(&mut self, user: &UserId) -> Result<bool, EdgeError> {
        if self.trust == Trust::Claim {
            return Ok(false);
        }
        if let Some(known) = self.known.get(user) {
            return Ok(*known);
        }
        let identifier = Identifier::new(Namespace::UserId, user.as_str())?;
        let known = graph::find(self.env, &identifier).await?.profile_id.is_some();
        self.known.insert(user.clone(), known);
        Ok(known)
    }
}
