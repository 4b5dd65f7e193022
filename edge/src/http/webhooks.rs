//! `POST /v1/webhooks/{source}`: what a shop's other systems tell.
//!
//! Role in the flow of one event: the signature over the raw body is checked first; then the source's mapping makes
//! events, which go to the people that they are about like those of any server. What the mapping cannot make is kept in
//! quarantine, and the sender is told that all is well: sending it again would change nothing, and shops switch off a
//! webhook that fails too often.

use std::collections::BTreeMap;

use endcap_engine::batch_reply::BatchReply;
use endcap_events::ingest::quarantine::{Quarantined, Route};
use endcap_events::ingest::rejection::{RejectCode, Rejection};
use endcap_events::webhook::delivery::{Delivery, MAX_BODY, Meaning};
use endcap_events::webhook::signature::{Scheme, SignatureError};
use endcap_protocol::{FieldError, SourceId};
use endcap_validation::DomainError;
use endcap_validation::path::segment;
use serde::{Deserialize, Serialize};
use worker::{Env, Request, Response};

use super::history_finder::Authority;
use super::incoming::Incoming;
use super::server_delivery::deliver;
use crate::platform::error::EdgeError;
use crate::platform::{clock, response};
use crate::rpc::{quarantine, snapshots};

/// Most headers of a delivery that a mapping can look at, and the longest value of each, in bytes.
const MAX_HEADERS: usize = 24;
const MAX_VALUE: usize = 256;

/// What a delivery is kept with, so that it can be mapped again.
#[derive(Debug, Serialize, Deserialize)]
struct DeliveryContext {
    headers: BTreeMap<String, String>,
}

/// Answers a delivery.
pub(super) async fn receive(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let Incoming { mut request, env, config, .. } = incoming;
    let source = SourceId::parse(&segment(incoming.parameter, "source")?)?;
    let kind = request.headers().get("content-type")?.unwrap_or_default();
    let body = response::body(&mut request, MAX_BODY).await?;
    if is_ping(&kind, &body) {
        return response::json(&BatchReply::default());
    }
    // Only a sender that holds its secret may learn whether a source exists.
    let unknown = || DomainError::Signature("ENDCAP_WEBHOOK_SECRETS has no secret for this source");
    let secrets = config.webhook_secrets.get(source.as_str()).ok_or_else(unknown)?;
    let snapshot = snapshots::current(env, clock::now()).await?;
    let mapping = snapshot.webhooks.get(&source).ok_or(DomainError::NotFound("webhook mapping; PUT it first"))?;
    let given = request.headers().get(mapping.scheme.header())?.unwrap_or_default();
    believe(mapping.scheme, secrets, &given, &body)?;
    let headers = headers(&request, mapping.scheme)?;
    let delivery = Delivery { source: &source, headers: &headers, body: &body };
    let meaning = mapping.apply(delivery)?;
    keep(env, delivery, &meaning.rejected).await?;
    response::json(&take(env, &source, meaning).await?)
}

/// Maps a delivery that was kept again, now that its mapping may have been put right, and says what is still refused.
pub(super) async fn again(env: &Env, kept: &Quarantined) -> Result<BatchReply, EdgeError> {
    let refused = |path: &str, message: &str| {
        let rejection = Rejection::new(RejectCode::InvalidField, FieldError::new(path, message));
        Ok(BatchReply::of(Vec::new(), Vec::new(), vec![rejection]))
    };
    let source = SourceId::parse(&kept.source)?;
    let snapshot = snapshots::current(env, clock::now()).await?;
    let Some(mapping) = snapshot.webhooks.get(&source) else { return refused("source", "has no mapping") };
    let context: DeliveryContext = serde_json::from_str(&kept.context)?;
    let delivery = Delivery { source: &source, headers: &context.headers, body: kept.raw.as_bytes() };
    let Ok(meaning) = mapping.apply(delivery) else { return refused("", "the body is longer than what is kept of it") };
    take(env, &source, meaning).await
}

/// Delivers the events that were made of a delivery. A shard keeps those that it refuses.
async fn take(env: &Env, source: &SourceId, meaning: Meaning) -> Result<BatchReply, EdgeError> {
    let delivered = deliver(env, source, Authority::Server, meaning.events).await?;
    let mut rejected = meaning.rejected;
    rejected.extend(delivered.rejected);
    Ok(BatchReply::of(delivered.accepted, delivered.duplicate, rejected).warning(delivered.warnings))
}

/// Keeps a delivery that a rule could not make its event of.
async fn keep(env: &Env, delivery: Delivery<'_>, rejected: &[Rejection]) -> Result<(), EdgeError> {
    let Some(first) = rejected.first() else { return Ok(()) };
    let context = serde_json::to_string(&DeliveryContext { headers: delivery.headers.clone() })?;
    let text = String::from_utf8_lossy(delivery.body);
    let source = delivery.source.as_str();
    let kept = Quarantined::new(Route::Webhook, source, "", &text, first, clock::now()).within(&context);
    quarantine::keep(env, vec![kept]).await
}

/// Checks that one of the source's secrets signed the delivery.
fn believe(scheme: Scheme, secrets: &[String], given: &str, body: &[u8]) -> Result<(), EdgeError> {
    let mut verdict = Err(SignatureError::Wrong);
    for secret in secrets {
        verdict = scheme.verify(secret.as_bytes(), given, body, clock::now());
        if verdict.is_ok() {
            break;
        }
    }
    verdict.map_err(|error| DomainError::Signature(error.message()).into())
}

/// The sender's own headers, which begin with `x-`; not the signature, and nothing that the platform adds.
fn headers(request: &Request, scheme: Scheme) -> Result<BTreeMap<String, String>, EdgeError> {
    let own = |name: &str| {
        name.starts_with("x-") && name != scheme.header() && !name.starts_with("x-forwarded-") && name != "x-real-ip"
    };
    let entries = request.headers().entries().map(|(name, value)| (name.to_ascii_lowercase(), value));
    let kept = entries.filter(|(name, value)| own(name) && name.len() <= 64 && value.len() <= MAX_VALUE);
    Ok(kept.take(MAX_HEADERS).collect())
}

/// WooCommerce tries an address when a webhook is saved, unsigned and with a form of one number, and wants to hear 200.
fn is_ping(kind: &str, body: &[u8]) -> bool {
    let number = body.strip_prefix(b"webhook_id=").unwrap_or_default();
    kind.starts_with("application/x-www-form-urlencoded")
        && (1..=20).contains(&number.len())
        && number.iter().all(u8::is_ascii_digit)
}
