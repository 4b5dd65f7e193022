//! What a browser's page sends and fetches: batches of events, why they are refused, parts of campaigns.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::answers::ErrorBody;
use super::builder::{Builder, LARGE, METHOD};
use super::hand_written;
use crate::batch_reply::BatchReply;

/// The description of one of these operations.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    match operation {
        Operation::SendBatch => batch(doc),
        Operation::Diagnose => diagnosis(doc),
        _ => campaign_part(doc),
    }
}

/// Batches of events.
fn batch(doc: &mut Builder) -> Value {
    let reply = doc.json::<BatchReply>("What became of each event, and what to show where the batch asked.");
    let mut answers = doc.errors(&[
        ("403", "The page's origin may not send to this source."),
        LARGE,
        ("415", "The body is neither JSON nor plain text."),
        ("429", "The client or its source sent more than it may; try again after `Retry-After`."),
        ("503", "The batch was not kept; try again after `Retry-After`."),
    ]);
    let either = json!({"anyOf": [doc.schema::<BatchReply>(), doc.schema::<ErrorBody>()]});
    let refused = "No event is good (`rejected` says why), or the batch as a whole is wrong (`error`).";
    answers
        .insert("400".to_owned(), json!({"description": refused, "content": {"application/json": {"schema": either}}}));
    answers.insert("200".to_owned(), reply);
    json!({
        "operationId": Operation::SendBatch.route().id,
        "summary": "Events of one browser",
        "parameters": [{"name": "b", "in": "query", "description": "Bucket of the anonymous ID, a routing hint",
            "schema": {"type": "integer", "minimum": 0, "maximum": 1023}}],
        "requestBody": {"required": true, "content": {
            "application/json": {"schema": hand_written::batch()}, "text/plain": {"schema": {"type": "string"}}}},
        "responses": answers,
    })
}

/// Why a page's batches would be refused.
fn diagnosis(doc: &mut Builder) -> Value {
    let mut answers =
        doc.errors(&[METHOD, ("429", "The client asked more than it may; try again after `Retry-After`.")]);
    let answer = "What is wrong with the source or with the page's origin, in the words of the refusal. Pages of every origin may \
                  read it: a refusal itself is hidden from pages on origins that the source does not list.";
    answers.insert("200".to_owned(), doc.answer(Operation::Diagnose.route().answer, answer));
    json!({
        "operationId": Operation::Diagnose.route().id,
        "summary": "Why batches of this page would be refused",
        "parameters": [{"name": "source", "in": "query", "description": "The source that the page names",
            "schema": {"type": "string", "maxLength": 64}}],
        "responses": answers,
    })
}

/// What of a campaign is the same for every visitor.
fn campaign_part(doc: &mut Builder) -> Value {
    let mut answers = doc.errors(&[("404", "No campaign that runs has this file, or none any more."), METHOD]);
    let answer = "The file that a decision names. Its content never changes, so browsers keep it.";
    answers.insert("200".to_owned(), doc.answer(Operation::GetCampaignPart.route().answer, answer));
    json!({
        "operationId": Operation::GetCampaignPart.route().id,
        "summary": "The part of a campaign that had no room in a decision",
        "responses": answers,
    })
}
