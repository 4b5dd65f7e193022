//! Routes of what works without our script: pixel, links, webhooks.

use endcap_events::link::request::{Links, LinksRequest};
use endcap_events::webhook::mapping::Definition;
use serde_json::{Value, json};

use super::{Document, LARGE, WRONG, with};
use crate::batch_reply::BatchReply;
use crate::shop::webhooks::{WebhookView, Webhooks};

pub(super) fn links(doc: &mut Document) -> Value {
    let made = doc.json::<Links>("The addresses to put into the message.");
    let media = ("415", "The body is not JSON.");
    let operation = doc.operation(
        "makeLinks",
        "Pixel and links of one message to one recipient",
        "200",
        made,
        &[WRONG, LARGE, media],
    );
    json!({"post": with(operation, "requestBody", doc.body::<LinksRequest>())})
}

pub(super) fn webhooks(doc: &mut Document) -> Value {
    let listed = doc.json::<Webhooks>("The webhook sources.");
    json!({"get": doc.operation("getWebhooks", "All webhook sources", "200", listed, &[])})
}

pub(super) fn webhook(doc: &mut Document) -> Value {
    let missing = ("404", "There is no such webhook source.");
    let found = doc.json::<WebhookView>("The mapping, with its source.");
    let saved = doc.json::<WebhookView>("The mapping as saved.");
    let gone = json!({"description": "It was deleted."});
    let put = doc.operation("putWebhook", "Add or replace a webhook source's mapping", "200", saved, &[WRONG, LARGE]);
    let put = with(put, "requestBody", doc.body::<Definition>());
    json!({
        "parameters": [source()],
        "get": doc.operation("getWebhook", "One webhook source", "200", found, &[WRONG, missing]),
        "put": put,
        "delete": doc.operation("deleteWebhook", "Delete a webhook source's mapping", "204", gone, &[WRONG, missing]),
    })
}

fn source() -> Value {
    json!({"name": "source", "in": "path", "required": true, "description": "Webhook source",
        "schema": {"type": "string", "minLength": 1, "maxLength": 64}})
}

fn header(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": {"type": "string"}})
}

fn query(name: &str, description: &str, max: u32) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": {"type": "string", "maxLength": max}})
}

/// A token is plain ASCII, as it is written.
fn token() -> Value {
    json!({"name": "t", "in": "query", "description": "Token of POST /api/links",
        "schema": {"type": "string", "maxLength": 9000, "pattern": "^[!-~]*$"}})
}

pub(super) fn delivery(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[
        WRONG,
        ("401", "The signature is not that of this body by the source's secret."),
        ("404", "The source has no mapping."),
        ("405", "The route does not take this method."),
        LARGE,
        ("503", "The delivery was not kept; try again."),
    ]);
    let reply = "What became of each event. What a rule could not make is in `rejected` and kept in quarantine.";
    answers.insert("200".to_owned(), doc.json::<BatchReply>(reply));
    json!({"post": {
        "operationId": "sendWebhook",
        "summary": "A delivery of another system, signed over its raw body",
        "parameters": [
            source(),
            header("X-Shopify-Hmac-Sha256", "Scheme `shopify`: base64 of HMAC-SHA-256 of the body"),
            header("X-WC-Webhook-Signature", "Scheme `woocommerce`: base64 of HMAC-SHA-256 of the body"),
            header("X-Endcap-Signature", "Scheme `endcap`: `t=<Unix seconds>,v1=<hex of HMAC-SHA-256 of \"<t>.<body>\">`"),
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {}}}},
        "responses": answers,
    }})
}

pub(super) fn pixel(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[("405", "The route does not take this method.")]);
    let image = json!({"description": "A transparent GIF of one pixel, whatever the address says.",
        "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}}});
    answers.insert("200".to_owned(), image);
    json!({"get": {
        "operationId": "pixel",
        "summary": "An image that counts the opening of a message (`t`), or a page view without script (`s`)",
        "parameters": [
            token(),
            query("s", "Source of a page view", 64),
            query("e", "`page`, or left out", 8),
            query("u", "The page's URL; else the request's Referer", 2048),
            query("r", "The page before", 2048),
            query("n", "The page's title", 200),
            query("consent", "`granted`: the visitor agreed to be measured; without it only a visitor with a cookie counts", 8),
        ],
        "responses": answers,
    }})
}

pub(super) fn crossing(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[
        WRONG,
        ("403", "`to` is on no origin that the source lists."),
        ("405", "The route does not take this method."),
    ]);
    let headers = json!({
        "Location": {"description": "The other domain's `/ec/x` with a token, or the page.", "schema": {"type": "string"}},
        "Set-Cookie": {"description": "The identity, where the visitor has none here.", "schema": {"type": "string"}},
    });
    answers.insert("302".to_owned(), json!({"description": "To where the link leads.", "headers": headers}));
    let page = json!({"description": "The token is damaged, of keys that no longer count, or for another domain.",
        "content": {"text/html": {"schema": {"type": "string"}}}});
    answers.insert("404".to_owned(), page);
    let token = "Token of this route on the domain that the visitor left; then nothing else is read";
    json!({"get": {
        "operationId": "cross",
        "summary": "From one of the shop's domains (`to`, `s`) to another (`t`), as the same visitor",
        "parameters": [
            query("to", "Absolute URL of the page, on an origin that the source lists", 4096),
            query("s", "Source of the page that the link stands on", 64),
            json!({"name": "t", "in": "query", "description": token,
                "schema": {"type": "string", "maxLength": 9000, "pattern": "^[!-~]*$"}}),
        ],
        "responses": answers,
    }})
}

pub(super) fn redirect(doc: &mut Document) -> Value {
    let mut answers = doc.errors(&[("405", "The route does not take this method.")]);
    let location = json!({"Location": {"description": "Where the link leads.", "schema": {"type": "string"}}});
    answers.insert("302".to_owned(), json!({"description": "To where the link leads.", "headers": location}));
    let page = json!({"description": "The token is damaged, or of keys that no longer count.",
        "content": {"text/html": {"schema": {"type": "string"}}}});
    answers.insert("404".to_owned(), page);
    json!({"get": {
        "operationId": "followLink",
        "summary": "A link of a message",
        "parameters": [token()],
        "responses": answers,
    }})
}
