//! Delivering events that no browser of ours sent.
//!
//! Role in the flow of one event: the entry has parsed a request that may be about many people. The finder says which
//! history each event goes to; this module sends each shard its history batches in one request. Sending the same events again
//! changes nothing, so a client that gets an error may simply try again.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::Warning;
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::server::ServerEvent;
use endcap_events::server::history_batch::{HistoryBatch, Item, Token, pack, stating};
use endcap_identity::Shown;
use endcap_protocol::{FieldError, SourceId, UnixMillis, bucket_of};
use endcap_validation::{DomainError, Trust};
use futures_util::future::join_all;
use serde_json::value::RawValue;
use worker::{Env, console_error};

use super::history_finder::{Authority, HistoryFinder};
use super::incoming::Incoming;
use super::rate_limits;
use crate::platform::error::EdgeError;
use crate::rpc::delivery::{DeliverItem, DeliverRequest, ItemReply};
use crate::rpc::placement::Use;
use crate::rpc::{call, namespace, placement};

/// What became of delivered events.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    /// Message IDs that were kept.
    pub(super) accepted: Vec<String>,
    /// Message IDs that were kept before.
    pub(super) duplicate: Vec<String>,
    /// Events that were refused; the index is the event's in the list that was given.
    pub(super) rejected: Vec<Rejection>,
    /// What of the kept events was not taken as it was meant; the first ones.
    pub(super) warnings: Vec<Warning>,
}

/// Most warnings of one answer: the next ones say the same.
const MAX_WARNINGS: usize = 20;

/// Delivers what the reader of a message did, while the answer is already on its way. What is beyond the bound is counted
/// as refused.
pub(super) fn deliver_later(incoming: &Incoming<'_>, source: SourceId, event: ServerEvent, now: UnixMillis) {
    let admitted = rate_limits::admit_reader(incoming.request.inner(), incoming.config);
    let env = incoming.env.clone();
    incoming.context.wait_until(async move {
        if admitted.is_err() {
            rate_limits::count_refused(&env, source.as_str(), 1, now).await;
        } else if let Err(error) = deliver(&env, &source, Authority::SignedLink, vec![event]).await {
            console_error!("event of {}: {error}", source.as_str());
        }
    });
}

/// Delivers events of one source to the histories they belong to.
///
/// What the shop's server says of a browser, without having its ID, is refused there, and delivered once more beside it.
///
/// # Errors
/// When an object cannot be reached or fails: nothing is known about the rest then, and all of it may be sent again.
pub(super) async fn deliver(
    env: &Env,
    source: &SourceId,
    authority: Authority,
    events: Vec<ServerEvent>,
) -> Result<Delivered, EdgeError> {
    placement::check(env, Use::Write).await?;
    let mut delivered = Delivered::default();
    let mut finder = HistoryFinder::of(env, source, authority).await?;
    let all = events.iter().enumerate().collect();
    let unverified = deliver_once(&mut finder, all, &mut delivered).await?;
    if !unverified.is_empty() {
        finder.keeps_beside = true;
        let rest = unverified.into_iter().filter_map(|index| Some((index, events.get(index)?))).collect();
        deliver_once(&mut finder, rest, &mut delivered).await?;
    }
    Ok(delivered)
}

/// Delivers events, each with its place in the request. Returns the places of those that were refused because their sender
/// does not have the browser's ID.
async fn deliver_once(
    finder: &mut HistoryFinder<'_>,
    events: Vec<(usize, &ServerEvent)>,
    delivered: &mut Delivered,
) -> Result<Vec<usize>, EdgeError> {
    let (mut items, mut links) = (BTreeMap::<Trust, Vec<Item>>::new(), Vec::new());
    for (index, event) in events {
        match finder.place(index, event).await? {
            Ok(placed) => {
                items.entry(placed.trust).or_default().push(placed.item);
                links.extend(placed.link);
                delivered.warn(placed.warning);
            }
            Err(error) => {
                let rejection = Rejection::new(RejectCode::InvalidField, error).of(event.message_id.as_str());
                delivered.rejected.push(rejection.at(index));
            }
        }
    }
    let mut by_shard: BTreeMap<(u16, Trust), Vec<HistoryBatch>> = BTreeMap::new();
    let placement = placement::placement()?;
    let stating = stating(finder.source, links).into_iter().map(|batch| (Trust::Fact, batch));
    let packed = items
        .into_iter()
        .flat_map(|(trust, items)| pack(finder.source, items).into_iter().map(move |batch| (trust, batch)));
    for (trust, batch) in packed.chain(stating) {
        let shard = placement.shard_of(bucket_of(batch.history.as_str()));
        by_shard.entry((shard, trust)).or_default().push(batch);
    }
    let hand_in = by_shard.iter().map(|((shard, trust), batches)| hand_in(finder.env, *shard, *trust, batches));
    let answers = join_all(hand_in).await;
    let mut unverified = Vec::new();
    for (batches, answer) in by_shard.values().zip(answers) {
        for (batch, reply) in batches.iter().zip(answer?) {
            match reply {
                ItemReply::Taken(reply) => {
                    let mut reply: BatchReply = serde_json::from_str(reply.get())?;
                    // How a value was read everybody may learn; what the edge knows of people only who vouches for them.
                    let warnings = std::mem::take(&mut reply.warnings);
                    let is_server = finder.authority == Authority::Server;
                    delivered.warn(warnings.into_iter().filter(|warning| is_server || warning.code.is_repair()));
                    unverified.extend(delivered.add(batch, reply));
                }
                ItemReply::Refused(why) => delivered.refuse(batch, &why),
            }
        }
    }
    Ok(unverified)
}

/// Gives one shard its batches, and says what became of each.
async fn hand_in(env: &Env, shard: u16, trust: Trust, batches: &[HistoryBatch]) -> Result<Vec<ItemReply>, EdgeError> {
    let texts = batches.iter().map(|batch| RawValue::from_string(batch.body.clone()));
    let texts = texts.collect::<Result<Vec<Box<RawValue>>, _>>()?;
    let items = batches.iter().zip(&texts).map(|(batch, text)| DeliverItem {
        profile_id: batch.history.as_str().into(),
        batch: text,
        shown: match batch.token {
            Token::Unasked => None,
            Token::Missing => Some(Shown::of_server(None)),
            Token::Shown(generation) => Some(Shown::of_server(Some(generation))),
        },
        stated: batch.stated.clone(),
    });
    let request = DeliverRequest { trust, reads_repairs: true, items: items.collect() };
    let reply = call::ask(&namespace::numbered_shard(env, shard)?, &request).await?;
    if reply.replies.len() != batches.len() {
        return Err(DomainError::Internal("a shard did not answer for each batch".to_owned()).into());
    }
    Ok(reply.replies)
}

impl Delivered {
    /// Adds what a shard says about a batch. Returns the places of events whose sender does not have the browser's ID.
    fn add(&mut self, batch: &HistoryBatch, reply: BatchReply) -> Vec<usize> {
        self.accepted.extend(reply.accepted);
        self.duplicate.extend(reply.duplicate);
        let mut unverified = Vec::new();
        for rejection in reply.rejected {
            let index = batch.indices.get(rejection.index).copied().unwrap_or_default();
            if rejection.code == RejectCode::Unverified && batch.token != Token::Unasked {
                unverified.push(index);
            } else {
                self.rejected.push(rejection.relative().at(index));
            }
        }
        unverified
    }

    fn warn(&mut self, warnings: impl IntoIterator<Item = Warning>) {
        let room = MAX_WARNINGS.saturating_sub(self.warnings.len());
        self.warnings.extend(warnings.into_iter().take(room));
    }

    fn refuse(&mut self, batch: &HistoryBatch, why: &str) {
        let refusal = |index: &usize| Rejection::new(RejectCode::InvalidEvent, FieldError::new("", why)).at(*index);
        self.rejected.extend(batch.indices.iter().map(refusal));
    }
}
