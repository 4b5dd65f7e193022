//! Batches for the histories that one shard holds, from requests that spoke of many people.

use std::borrow::Cow;

use endcap_identity::{Shown, StatedLink};
use endcap_validation::Trust;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::message::Message;

/// Batches for the histories that one shard holds.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeliverRequest<'a> {
    /// How far the sender is believed.
    pub(crate) trust: Trust,
    /// Whether the sender can read what is said of repairs. The version before does not say so, and cannot.
    #[serde(default)]
    pub(crate) reads_repairs: bool,
    /// The batches.
    #[serde(borrow, rename = "parcels")]
    pub(crate) items: Vec<DeliverItem<'a>>,
}

/// One batch, for one history.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeliverItem<'a> {
    /// The profile it is for.
    #[serde(borrow)]
    pub(crate) profile_id: Cow<'a, str>,
    /// The batch's text.
    #[serde(borrow)]
    pub(crate) batch: &'a RawValue,
    /// What the sender shows of the browser that it is about; None where nobody asks.
    #[serde(default)]
    pub(crate) shown: Option<Shown>,
    /// What the shop's server states of whose that browser is.
    #[serde(default)]
    pub(crate) stated: Vec<StatedLink>,
}

/// What the shard says about each batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct DeliverReply {
    /// In the order of the batches.
    pub(crate) replies: Vec<ItemReply>,
}

/// What the shard says about one batch.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ItemReply {
    /// What became of each event.
    Taken(Box<RawValue>),
    /// The batch as a whole cannot be used.
    Refused(String),
}

impl Message for DeliverRequest<'_> {
    const PATH: &'static str = "/parcels";
    type Reply = DeliverReply;
}
