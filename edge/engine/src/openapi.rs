//! The OpenAPI 3.1 document of the edge, generated from the types that parse and answer.

mod identity;
mod outside;
mod people;
mod push;
mod quarantine;
mod vendor;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::batch_reply::BatchReply;
use crate::layout::placement::{ShardsAsk, ShardsView};
use crate::profile_view::ProfileView;
use crate::shop::Settings;
use crate::shop::campaign::Definition;
use crate::shop::product::Products;

/// The answer to a failed request.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorBody {
    /// What failed.
    pub error: ErrorDetail,
}

/// What failed.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ErrorDetail {
    /// Stable code.
    pub code: String,
    /// What was wrong and what to do.
    pub message: String,
    /// Path of the wrong field; empty where it is none.
    pub path: String,
}

/// A saved campaign: its definition with ID and version.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CampaignView {
    /// Its ID.
    pub id: String,
    /// Counts up with each change.
    pub version: u32,
    /// As it was saved.
    #[serde(flatten)]
    pub definition: Definition,
}

/// All campaigns.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Campaigns {
    /// In order of their IDs.
    pub campaigns: Vec<CampaignView>,
}

/// How many products were saved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Saved {
    /// Number of products.
    pub saved: usize,
}

struct Document {
    generator: SchemaGenerator,
}

impl Document {
    fn schema<T: JsonSchema>(&mut self) -> Schema {
        self.generator.subschema_for::<T>()
    }

    fn json<T: JsonSchema>(&mut self, description: &str) -> Value {
        json!({"description": description, "content": {"application/json": {"schema": self.schema::<T>()}}})
    }

    fn errors(&mut self, statuses: &[(&str, &str)]) -> serde_json::Map<String, Value> {
        let mut answers = serde_json::Map::new();
        for (status, description) in statuses {
            answers.insert((*status).to_owned(), self.json::<ErrorBody>(description));
        }
        answers
    }

    /// An operation of the server API: its answer, the errors that all share, and those of its own.
    fn operation(&mut self, id: &str, summary: &str, status: &str, answer: Value, own: &[(&str, &str)]) -> Value {
        let mut answers = self.errors(&[
            ("401", "The key is missing or wrong."),
            ("405", "The route does not take this method."),
            ("503", "The request failed at the edge and was not kept; try again."),
        ]);
        answers.extend(self.errors(own));
        answers.insert(status.to_owned(), answer);
        json!({"operationId": id, "summary": summary, "security": [{"key": []}], "responses": answers})
    }

    fn body<T: JsonSchema>(&mut self) -> Value {
        json!({"required": true, "content": {"application/json": {"schema": self.schema::<T>()}}})
    }
}

/// The operation with one member more.
fn with(mut operation: Value, member: &str, value: Value) -> Value {
    if let Some(object) = operation.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
    operation
}

const WRONG: (&str, &str) = ("400", "The request is wrong; `path` says where.");
const LARGE: (&str, &str) = ("413", "The body is over its bound.");

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut doc = Document { generator: settings.into_generator() };
    let mut paths = json!({
        "/healthz": {"get": health()},
        "/api/openapi.json": {"get": description()},
        "/api/profiles": profiles(&mut doc),
        "/api/profiles/{id}": people::profile(&mut doc),
        "/api/profiles/{id}/events": people::events(&mut doc),
        "/api/profiles/{id}/graph": people::graph(&mut doc),
        "/api/profiles/{id}/export": people::export(&mut doc),
        "/api/profiles/unmerge": identity::unmerge(&mut doc),
        "/api/identity/restore": identity::restore(&mut doc),
        "/api/identity/approve": identity::approve(&mut doc),
        "/api/identity/conflicts": identity::conflicts(&mut doc),
        "/api/products": products(&mut doc),
        "/api/settings": settings_routes(&mut doc),
        "/api/campaigns": campaigns(&mut doc),
        "/api/campaigns/{id}": campaign(&mut doc),
        "/api/shards": shards(&mut doc),
        "/api/links": outside::links(&mut doc),
        "/api/webhooks": outside::webhooks(&mut doc),
        "/api/webhooks/{source}": outside::webhook(&mut doc),
        "/api/quarantine": quarantine::list(&mut doc),
        "/api/quarantine/counts": quarantine::counts(&mut doc),
        "/api/quarantine/replay": quarantine::replay(&mut doc),
        "/api/quarantine/{id}": quarantine::one(&mut doc),
        "/v1/webhooks/{source}": outside::delivery(&mut doc),
        "/ec/e": {"post": batch(&mut doc)},
        "/ec/push": push::subscription(&mut doc),
        "/ec/n": push::report(&mut doc),
        "/ec/p.gif": outside::pixel(&mut doc),
        "/ec/r": outside::redirect(&mut doc),
        "/ec/x": outside::crossing(&mut doc),
    });
    if let Some(paths) = paths.as_object_mut() {
        paths.extend(vendor::routes(&mut doc));
    }
    let schemas = doc.generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Endcap edge",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "First-party tracking and personalization for online stores. Browser routes lie below a \
                configurable prefix, /ec by default; the server API wants a secret key.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "ENDCAP_API_KEY"},
                "writeKey": {"type": "http", "scheme": "basic",
                    "description": "A write key as user name: a source's name, or a secret one of ENDCAP_SERVER_KEYS"}},
        },
    })
}

fn plain(description: &str) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": {"type": "object"}}}})
}

fn health() -> Value {
    json!({"operationId": "health", "summary": "Whether the worker runs", "responses": {"200": plain("It runs.")}})
}

fn description() -> Value {
    let answers = json!({"200": plain("The document.")});
    json!({"operationId": "describe", "summary": "This document", "responses": answers})
}

fn profiles(doc: &mut Document) -> Value {
    let answer = doc.json::<ProfileView>("The profile.");
    let own = [WRONG, ("404", "No profile has this identifier.")];
    let operation = doc.operation("getProfile", "One profile, by exactly one identifier", "200", answer, &own);
    let parameter = |name: &str, text: &str| json!({"name": name, "in": "query", "description": text, "schema": {"type": "string", "maxLength": 256}});
    let parameters = json!([
        parameter("anonymous_id", "Anonymous ID of one of the person's browsers"),
        parameter("user_id", "User ID that the shop proved"),
        parameter("email", "E-mail address of the person, in any case"),
        parameter("phone", "Phone number of the person, with country code"),
        parameter("member_no", "Member number"),
        parameter("line_id", "LINE user ID"),
    ]);
    let delete = people::erasure_named(doc, parameters.clone());
    json!({"get": with(operation, "parameters", parameters), "delete": delete})
}

fn products(doc: &mut Document) -> Value {
    let listed = doc.json::<Products>("The catalogue, in the shop's order.");
    let saved = doc.json::<Saved>("They were saved, all of them.");
    let put = doc.operation("putProducts", "Add or replace products", "200", saved, &[WRONG, LARGE]);
    let put = with(put, "requestBody", doc.body::<Products>());
    json!({"get": doc.operation("getProducts", "The catalogue", "200", listed, &[]), "put": put})
}

fn settings_routes(doc: &mut Document) -> Value {
    let current = doc.json::<Settings>("The settings.");
    let saved = doc.json::<Settings>("The settings as saved; what was left out has its default.");
    let put = doc.operation("putSettings", "Replace the settings", "200", saved, &[WRONG, LARGE]);
    let put = with(put, "requestBody", doc.body::<Settings>());
    json!({"get": doc.operation("getSettings", "The settings", "200", current, &[]), "put": put})
}

fn shards(doc: &mut Document) -> Value {
    let current = doc.json::<ShardsView>("How far the change has come.");
    let begun = doc.json::<ShardsView>("Buckets begin to move; ask again until none remains.");
    let put =
        doc.operation("putShards", "Spread profiles over another number of shards", "200", begun, &[WRONG, LARGE]);
    let put = with(put, "requestBody", doc.body::<ShardsAsk>());
    json!({"get": doc.operation("getShards", "Where profiles are", "200", current, &[]), "put": put})
}

fn campaigns(doc: &mut Document) -> Value {
    let listed = doc.json::<Campaigns>("The campaigns.");
    json!({"get": doc.operation("getCampaigns", "All campaigns", "200", listed, &[])})
}

fn campaign(doc: &mut Document) -> Value {
    let missing = ("404", "There is no such campaign.");
    let found = doc.json::<CampaignView>("The campaign.");
    let saved = doc.json::<CampaignView>("The campaign as saved.");
    let gone = json!({"description": "It was deleted."});
    let put = doc.operation("putCampaign", "Add or replace a campaign", "200", saved, &[WRONG, LARGE]);
    let put = with(put, "requestBody", doc.body::<Definition>());
    json!({
        "parameters": [{"name": "id", "in": "path", "required": true, "description": "Campaign ID",
            "schema": {"type": "string", "minLength": 1, "maxLength": 64}}],
        "get": doc.operation("getCampaign", "One campaign", "200", found, &[WRONG, missing]),
        "put": put,
        "delete": doc.operation("deleteCampaign", "Delete a campaign", "204", gone, &[WRONG, missing]),
    })
}

fn batch(doc: &mut Document) -> Value {
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
        "operationId": "sendBatch",
        "summary": "Events of one browser",
        "parameters": [{"name": "b", "in": "query", "description": "Bucket of the anonymous ID, a routing hint",
            "schema": {"type": "integer", "minimum": 0, "maximum": 1023}}],
        "requestBody": {"required": true, "content": {
            "application/json": {"schema": batch_schema()}, "text/plain": {"schema": {"type": "string"}}}},
        "responses": answers,
    })
}

/// The batch by hand: its events stay text until each is parsed on its own, so no one type describes them.
fn batch_schema() -> Value {
    let text = |max: u32| json!({"type": "string", "minLength": 1, "maxLength": max});
    json!({
        "type": "object",
        "required": ["source", "anonymous_id"],
        "properties": {
            "source": text(64), "anonymous_id": text(100), "device_id": text(100),
            "sent_at": {"type": "integer", "description": "The page's clock, milliseconds since 1970"},
            "consent": {"type": "object", "properties": {"analytics": {"type": "boolean"},
                "personalization": {"type": "boolean"}, "marketing": {"type": "boolean"}}},
            "consent_source": {"enum": ["api", "banner", "tcf", "gcm", "gpc"], "default": "api",
                "description": "Who said what the visitor consents to"},
            "events": {"type": "array", "maxItems": 500, "items": {
                "type": "object",
                "required": ["message_id", "type"],
                "properties": {
                    "message_id": text(100),
                    "type": {"enum": ["track", "page", "identify", "reset", "impression"]},
                    "name": {"type": "string", "maxLength": 200},
                    "user_id": text(256), "session_id": text(100), "proof": {"type": "string", "maxLength": 128},
                    "timestamp": {"type": "integer"}, "context": {"type": "object"},
                    "properties": {"type": "object"}, "traits": {"type": "object"},
                },
            }},
            "ask": {"type": "object", "description": "What the page wants decided"},
        },
    })
}
