//! An example of each body that a route takes: the smallest one that does something useful.

use endcap_api::{Operation, Payload};
use serde_json::{Map, Value, json};

/// Adds to an operation the example of its body.
pub(super) fn add(described: &mut Value, operation: Operation) {
    let Some(example) = example(operation) else { return };
    let content = described.pointer_mut("/requestBody/content").and_then(Value::as_object_mut);
    for (kind, body) in content.into_iter().flat_map(Map::iter_mut) {
        if kind == "application/json"
            && let Some(body) = body.as_object_mut()
        {
            body.insert("example".to_owned(), example.clone());
        }
    }
}

fn example(operation: Operation) -> Option<Value> {
    Some(match operation.route().request {
        Payload::Batch => json!({
            "source": "shop", "anonymous_id": "0d4f8a6c-91c2-4c6e-8f7a-3b1e5d2a9c40", "consent": {"analytics": true},
            "events": [{"message_id": "8b1f2c7e-5a34-4d0b-9c6f-7e2a1d4b3c58", "type": "track", "name": "Product Viewed",
                "timestamp": 1_764_000_000_000_i64, "properties": {"product_id": "p-1", "category": "shoes"}}],
        }),
        Payload::PushBody => json!({
            "anonymous_id": "0d4f8a6c-91c2-4c6e-8f7a-3b1e5d2a9c40", "source": "shop",
            "unsubscribe": "https://push.example/send/abc",
        }),
        Payload::ReportBody => json!({"token": "the token of the notification", "outcome": "clicked"}),
        Payload::Call => call(operation),
        Payload::Calls => json!({"batch": [
            {"type": "identify", "userId": "c-1001", "traits": {"email": "ada@example.org"}},
            {"type": "track", "userId": "c-1001", "event": "Coupon Redeemed", "properties": {"coupon": "SPRING"}},
        ]}),
        Payload::LinksAsk => json!({
            "identifier": {"namespace": "email", "value": "family@example.org"}, "reason": "two people share this address",
        }),
        Payload::Products => json!({"products": [{
            "id": "p-1", "title": "Scree Boot", "url": "/p/p-1", "image": "/img/p-1.jpg", "category": "shoes",
            "price": {"amount": 8900, "currency": "EUR"}, "available": true,
        }]}),
        Payload::Settings => json!({"currency": "EUR", "time_zone": "Europe/Berlin"}),
        Payload::CampaignDefinition => json!({
            "name": "Free returns", "type": "popup",
            "condition": {"all": [{"fact": "cart_units", "op": ">=", "value": 1}, {"fact": "orders", "op": "=", "value": 0}]},
            "trigger": {"exit_intent": true},
            "content": {"title": "Sixty days to send it back", "dismiss": "Close"},
        }),
        Payload::ConditionAsk => json!({"condition": "orders >= 2 and stage in (new, active)"}),
        Payload::ExplainAsk => json!({"condition": "orders >= 2 and stage in (new, active)", "path": "/c/shoes"}),
        Payload::SegmentDefinition => {
            json!({"name": "Regulars", "condition": "orders >= 2 and days_since_last_order < 90"})
        }
        Payload::ListAsk => json!({"add": [{"user_id": "c-1001"}, {"email": "ada@example.org"}], "remove": []}),
        Payload::PreviewAsk => {
            json!({"condition": "orders >= 2 and days_since_last_order < 60", "segment": "regulars"})
        }
        Payload::ShardsAsk => json!({"shards": 32}),
        Payload::MessageLinksAsk => json!({
            "recipient": {"email": "ada@example.org"}, "campaign_id": "may-news", "message_id": "may-news-ada",
            "links": ["https://shop.example/sale"],
        }),
        Payload::MappingDefinition => json!({"scheme": "endcap", "rules": [{
            "when": {"path": "/type", "equals": "sale"}, "event": "track", "name": "Order Completed",
            "message_id": "/no", "user_id": "/customer",
            "properties": {"order_id": "/no", "revenue": {"money": "/sum"}},
        }]}),
        Payload::ReplayAsk => json!({"path": "properties.order_id", "patch": {"properties": {"order_id": "o-9"}}}),
        Payload::RetryAsk => json!({"ids": []}),
        _ => return None,
    })
}

/// The example of a call of another vendor's client.
fn call(operation: Operation) -> Value {
    use Operation::{
        Alias, AliasShort, Group, GroupShort, Identify, IdentifyShort, Page, PageShort, Screen, ScreenShort,
    };
    match operation {
        Identify | IdentifyShort => json!({"userId": "c-1001", "traits": {"email": "ada@example.org", "name": "Ada"}}),
        Page | PageShort => {
            json!({"anonymousId": "browser-1", "name": "Shoes", "properties": {"url": "https://shop.example/c/shoes"}})
        }
        Screen | ScreenShort => json!({"userId": "c-1001", "name": "Cart"}),
        Group | GroupShort => json!({"userId": "c-1001", "groupId": "club", "traits": {"name": "Club"}}),
        Alias | AliasShort => json!({"userId": "c-1001", "previousId": "c-0999"}),
        _ => json!({"userId": "c-1001", "event": "Order Completed", "properties": {"order_id": "o-1", "revenue": 89,
            "currency": "EUR", "products": [{"product_id": "p-1", "quantity": 1, "price": 89}]}}),
    }
}
