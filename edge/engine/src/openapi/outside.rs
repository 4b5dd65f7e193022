//! Routes of what works without our script: pixel, links, webhooks.

use endcap_api::Operation;
use serde_json::{Value, json};

use super::builder::{Builder, LARGE, METHOD, Text, WRONG};
use crate::batch_reply::BatchReply;

/// The description of one of these operations.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    match operation {
        Operation::MakeLinks => links(doc),
        Operation::SendWebhook => delivery(doc),
        Operation::Pixel => pixel(doc),
        Operation::FollowLink => redirect(doc),
        _ => cross_domain(doc),
    }
}

/// Addresses for messages.
fn links(doc: &mut Builder) -> Value {
    let text = Text {
        summary: "Pixel and links of one message to one recipient",
        answer: ("200", "The addresses to put into the message."),
        errors: &[WRONG, LARGE, ("415", "The body is not JSON.")],
    };
    doc.operation(Operation::MakeLinks, &text)
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

/// Deliveries of other systems.
fn delivery(doc: &mut Builder) -> Value {
    let mut answers = doc.errors(&[
        WRONG,
        ("401", "The signature is not that of this body by the source's secret."),
        ("404", "The source has no mapping."),
        METHOD,
        LARGE,
        ("503", "The delivery was not kept; try again."),
    ]);
    let reply = "What became of each event. What a rule could not make is in `rejected` and kept in quarantine.";
    answers.insert("200".to_owned(), doc.json::<BatchReply>(reply));
    json!({
        "operationId": Operation::SendWebhook.route().id,
        "summary": "A delivery of another system, signed over its raw body",
        "parameters": [
            header("X-Shopify-Hmac-Sha256", "Scheme `shopify`: base64 of HMAC-SHA-256 of the body"),
            header("X-WC-Webhook-Signature", "Scheme `woocommerce`: base64 of HMAC-SHA-256 of the body"),
            header("X-Endcap-Signature", "Scheme `endcap`: `t=<Unix seconds>,v1=<hex of HMAC-SHA-256 of \"<t>.<body>\">`"),
        ],
        "requestBody": {"required": true, "content": {"application/json": {"schema": {}}}},
        "responses": answers,
    })
}

/// The image that counts.
fn pixel(doc: &mut Builder) -> Value {
    let mut answers = doc.errors(&[METHOD]);
    let image = json!({"description": "A transparent GIF of one pixel, whatever the address says.",
        "content": {"image/gif": {"schema": {"type": "string", "format": "binary"}}}});
    answers.insert("200".to_owned(), image);
    json!({
        "operationId": Operation::Pixel.route().id,
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
    })
}

/// From one domain of the shop to another.
fn cross_domain(doc: &mut Builder) -> Value {
    let mut answers = doc.errors(&[WRONG, ("403", "`to` is on no origin that the source lists."), METHOD]);
    let headers = json!({
        "Location": {"description": "The other domain's `/ec/x` with a token, or the page.", "schema": {"type": "string"}},
        "Set-Cookie": {"description": "The identity, where the visitor has none here.", "schema": {"type": "string"}},
    });
    answers.insert("302".to_owned(), json!({"description": "To where the link leads.", "headers": headers}));
    let page = json!({"description": "The token is damaged, of keys that no longer count, or for another domain.",
        "content": {"text/html": {"schema": {"type": "string"}}}});
    answers.insert("404".to_owned(), page);
    let token = "Token of this route on the domain that the visitor left; then nothing else is read";
    json!({
        "operationId": Operation::CrossDomain.route().id,
        "summary": "From one of the shop's domains (`to`, `s`) to another (`t`), as the same visitor",
        "parameters": [
            query("to", "Absolute URL of the page, on an origin that the source lists", 4096),
            query("s", "Source of the page that the link stands on", 64),
            json!({"name": "t", "in": "query", "description": token,
                "schema": {"type": "string", "maxLength": 9000, "pattern": "^[!-~]*$"}}),
        ],
        "responses": answers,
    })
}

/// A link of a message.
fn redirect(doc: &mut Builder) -> Value {
    let mut answers = doc.errors(&[METHOD]);
    let location = json!({"Location": {"description": "Where the link leads.", "schema": {"type": "string"}}});
    answers.insert("302".to_owned(), json!({"description": "To where the link leads.", "headers": location}));
    let page = json!({"description": "The token is damaged, or of keys that no longer count.",
        "content": {"text/html": {"schema": {"type": "string"}}}});
    answers.insert("404".to_owned(), page);
    json!({
        "operationId": Operation::FollowLink.route().id,
        "summary": "A link of a message",
        "parameters": [token()],
        "responses": answers,
    })
}
