//! The answer to a batch.

use endcap_events::ingest::event::Event;
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::ingest::warning::Warning;
use endcap_protocol::AnonymousId;
use endcap_validation::DomainError;
use endcap_validation::json::is_default;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::decide::Decision;
use crate::json_room::{Room, json_bytes};
use crate::visit::Visit;

/// Most bytes of an answer to a batch.
pub const REPLY_BYTES: usize = 64 * 1024;
/// Bytes that its frame takes, with the tokens and the new ID that may be added to it.
const FRAME_BYTES: usize = 3 * 1024;
/// Most bytes of what is said of rejections, and as many of warnings.
const DETAIL_BYTES: usize = 4 * 1024;
/// Bytes of a rejection of which only place and code are said.
const REJECTION_BYTES: usize = 80;

/// What became of each event, and what the page should show.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct BatchReply {
    /// Message IDs that were kept.
    pub accepted: Vec<String>,
    /// Message IDs that were kept before.
    pub duplicate: Vec<String>,
    /// Events that were refused; sending them again changes nothing.
    pub rejected: Vec<Rejection>,
    /// What of the kept events was not taken as it was meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "known_warnings")]
    pub warnings: Vec<Warning>,
    /// Warnings that had no room here.
    #[serde(default, skip_serializing_if = "is_default")]
    pub more_warnings: usize,
    /// What to show, where the batch asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Decision>")]
    pub decision: Option<Box<RawValue>>,
    /// The new anonymous ID that the browser has to take: it does not have the one that it named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<String>,
    /// The possession token of the anonymous ID, for a page to which no cookie of the edge travels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub possession: Option<String>,
}

/// Reads warnings, without those of a later version that this one does not know.
fn known_warnings<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Warning>, D::Error> {
    let all: Vec<serde_json::Value> = Deserialize::deserialize(from)?;
    Ok(all.into_iter().filter_map(|warning| serde_json::from_value(warning).ok()).collect())
}

/// What a reply tells a browser of its anonymous ID.
#[derive(Debug, Default, Serialize)]
pub struct NamedBrowser<'a> {
    /// The new ID that it has to take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous_id: Option<&'a AnonymousId>,
    /// The token of the ID, in readable form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub possession: Option<&'a str>,
}

impl NamedBrowser<'_> {
    /// The text of a reply with it. The text is a JSON object that is not empty.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn add_to(&self, reply: &mut Vec<u8>) -> Result<(), DomainError> {
        if self.anonymous_id.is_none() && self.possession.is_none() {
            return Ok(());
        }
        let mut text = serde_json::to_vec(self).map_err(|error| DomainError::Internal(error.to_string()))?;
        if let (Some(first), Some(b'}')) = (text.first_mut(), reply.pop()) {
            *first = b',';
            reply.append(&mut text);
        }
        Ok(())
    }
}

/// Leaves as much said of rejections as an answer has room for. Of each stays where it stood and its code; the quarantine has
/// the rest.
pub fn shorten(rejected: &mut [Rejection]) {
    let mut room = Room(DETAIL_BYTES);
    for rejection in rejected {
        let Rejection { message_id, path, message, .. } = &*rejection;
        if !room.take_json(&(message_id, path, message)) {
            *rejection = Rejection { message_id: None, path: String::new(), message: String::new(), ..*rejection };
        }
    }
}

impl BatchReply {
    /// A reply without a decision.
    #[must_use]
    pub fn of(accepted: Vec<String>, duplicate: Vec<String>, rejected: Vec<Rejection>) -> Self {
        Self { accepted, duplicate, rejected, ..Self::default() }.bounded()
    }

    /// The same reply with warnings.
    #[must_use]
    pub fn warning(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings;
        self.bounded()
    }

    /// The same reply with as much said of rejections and warnings as there is room for.
    fn bounded(mut self) -> Self {
        shorten(&mut self.rejected);
        let mut room = Room(DETAIL_BYTES);
        let fitting = self.warnings.iter().take_while(|warning| room.take_json(warning)).count();
        self.more_warnings = self.more_warnings.saturating_add(self.warnings.len().saturating_sub(fitting));
        self.warnings.truncate(fitting);
        self
    }

    /// Bytes of a reply that are left for its decision, after what is said of a batch's events.
    #[must_use]
    pub fn room_for_decision(visit: &Visit, rejected: &[Rejection]) -> usize {
        let names = visit.accepted.iter().chain(&visit.duplicate);
        let named: usize = names.map(|id| json_bytes(id).saturating_add(1)).sum();
        let refused = rejected.len().saturating_mul(REJECTION_BYTES);
        let details = if rejected.is_empty() && visit.warnings.is_empty() { 0 } else { 2 * DETAIL_BYTES };
        REPLY_BYTES.saturating_sub(FRAME_BYTES + named + refused + details)
    }

    /// The text of a reply that took others in. Where they are too long together, it goes without its decision, for which the
    /// page asks again.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn whole_text(&mut self) -> Result<Vec<u8>, DomainError> {
        let text = |reply: &Self| serde_json::to_vec(reply).map_err(|error| DomainError::Internal(error.to_string()));
        let whole = text(self)?;
        if whole.len() <= REPLY_BYTES - FRAME_BYTES {
            return Ok(whole);
        }
        self.decision = None;
        text(self)
    }

    /// The same reply with a decision.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn deciding(mut self, decision: Option<&Decision>) -> Result<Self, DomainError> {
        let raw = decision.map(to_raw_value).transpose();
        self.decision = raw.map_err(|error| DomainError::Internal(error.to_string()))?;
        Ok(self)
    }

    /// The text of the reply with a decision, in one go: a decision is most of a reply, and one that is
    /// [taken in](BatchReply::deciding) is written twice.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn text(&self, decision: Option<&Decision>) -> Result<Vec<u8>, DomainError> {
        let Self { accepted, duplicate, rejected, warnings, more_warnings, .. } = self;
        let text = Text { accepted, duplicate, rejected, warnings, more_warnings: *more_warnings, decision };
        serde_json::to_vec(&text).map_err(|error| DomainError::Internal(error.to_string()))
    }

    /// Adds the reply of the profile that took over the rest of the batch; its decision is the one that counts. `taken_over`
    /// are its events, which say where in the batch they stood.
    ///
    /// # Errors
    /// When it is no reply: then what became of the rest is not known.
    pub fn follow(&mut self, json: &[u8], taken_over: &[Event]) -> Result<(), DomainError> {
        let rest: Self = serde_json::from_slice(json).map_err(|error| DomainError::Internal(error.to_string()))?;
        self.accepted.extend(rest.accepted);
        self.duplicate.extend(rest.duplicate);
        self.rejected.extend(rest.rejected.into_iter().map(|rejection| {
            let place = taken_over.get(rejection.index).map_or(rejection.index, |event| event.place);
            rejection.relative().at(place)
        }));
        self.warnings.extend(rest.warnings);
        self.more_warnings = self.more_warnings.saturating_add(rest.more_warnings);
        self.decision = rest.decision.or(self.decision.take());
        *self = std::mem::take(self).bounded();
        Ok(())
    }

    /// 200 if any event is good or there were none to judge, else 400. A robot's batch gets 200 as well, so that the
    /// robot's console shows no error that a shop's audits would count.
    #[must_use]
    pub fn status(&self) -> u16 {
        let good = !self.accepted.is_empty() || !self.duplicate.is_empty();
        let bad = self.rejected.iter().any(|rejection| rejection.code != RejectCode::Bot);
        if good || !bad { 200 } else { 400 }
    }
}

/// A [`BatchReply`] whose decision is not text yet.
#[derive(Serialize)]
struct Text<'a> {
    accepted: &'a [String],
    duplicate: &'a [String],
    rejected: &'a [Rejection],
    #[serde(skip_serializing_if = "<[Warning]>::is_empty")]
    warnings: &'a [Warning],
    #[serde(skip_serializing_if = "is_default")]
    more_warnings: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'a Decision>,
}
