//! Ready mappings, in the form that a shop writes its own in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ready mapping of orders and customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Shopify's `orders/create`, `orders/paid`, `orders/updated` (refunds), `orders/cancelled`, `customers/create` and
    /// `customers/update` (<https://shopify.dev/docs/api/webhooks>).
    Shopify,
    /// WooCommerce's `order.created`, `order.updated`, `customer.created` and `customer.updated`
    /// (<https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks>).
    Woocommerce,
}

impl Preset {
    /// The mapping as JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Shopify => include_str!("preset/shopify.json"),
            Self::Woocommerce => include_str!("preset/woocommerce.json"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use endcap_protocol::{AnonymousId, SourceId, UserId};
    use endcap_validation::Trust;
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::ingest::ingest_as;
    use crate::server::history_batch::{Item, pack};
    use crate::server::{Action, ServerEvent};
    use crate::webhook::delivery::Delivery;

    const SHOPIFY_ORDER: &str = include_str!("fixtures/shopify-order.json");
    const SHOPIFY_CUSTOMER: &str = include_str!("fixtures/shopify-customer.json");
    const WOO_ORDER: &str = include_str!("fixtures/woocommerce-order.json");
    const WOO_CUSTOMER: &str = include_str!("fixtures/woocommerce-customer.json");

    fn changed(fixture: &str, changes: &[(&str, Value)]) -> Value {
        let mut body: Value = serde_json::from_str(fixture).unwrap();
        for (pointer, value) in changes {
            *body.pointer_mut(pointer).unwrap() = value.clone();
        }
        body
    }

    /// The events of a delivery, which ingestion has to take.
    fn events(preset: Preset, topic: &str, body: &Value) -> Vec<ServerEvent> {
        let source = SourceId::parse("shop").unwrap();
        let name = if preset == Preset::Shopify { "x-shopify-topic" } else { "x-wc-webhook-topic" };
        let headers = BTreeMap::from([(name.to_owned(), topic.to_owned())]);
        let text = body.to_string();
        let delivery = Delivery { source: &source, headers: &headers, body: text.as_bytes() };
        let meaning = preset.mapping().unwrap().apply(delivery).unwrap();
        assert_eq!(meaning.rejected, []);
        let history = AnonymousId::parse("a").unwrap();
        let wires = meaning.events.iter().enumerate().map(|(index, e)| Item {
            index,
            token: crate::server::history_batch::Token::Unasked,
            history: history.clone(),
            consent: None,
            event: e.to_wire(None),
        });
        let wires = wires.collect();
        for history_batch in pack(&source, wires) {
            let batch = ingest_as(history_batch.body.as_bytes(), 1_900_000_000_000, Trust::Fact).unwrap();
            assert_eq!(batch.rejected, []);
        }
        meaning.events
    }

    fn track<'a>(events: &'a [ServerEvent], wanted: &str) -> (&'a ServerEvent, &'a Map<String, Value>) {
        let found = events.iter().find_map(|event| match &event.action {
            Action::Track { name, properties } if name == wanted => Some((event, properties)),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no {wanted} in {events:?}"))
    }

    fn traits(events: &[ServerEvent]) -> &Map<String, Value> {
        let found = events.iter().find_map(|event| match &event.action {
            Action::Identify { traits } => Some(traits),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no identify in {events:?}"))
    }

    #[test]
    fn a_shopify_order_becomes_order_completed_and_who_ordered() {
        let events = events(Preset::Shopify, "orders/create", &changed(SHOPIFY_ORDER, &[]));
        let (order, properties) = track(&events, "Order Completed");
        assert_eq!(order.message_id.as_str(), "shop~Order Completed~5678901234567");
        assert_eq!(order.who.user_id.as_ref().map(UserId::as_str), Some("7012345678901"));
        assert_eq!(order.who.email.as_deref(), Some("ann@shop.example"));
        assert_eq!(order.at, Some(1_760_000_523_000));
        let expected = json!({
            "order_id": 5_678_901_234_567_u64, "order_name": "#1042", "currency": "EUR", "revenue": 90.0, "total": 113.05,
            "tax": 18.05, "shipping": 5.0, "discount": 10.0, "coupon": "AUTUMN10", "channel": "web",
            "products": [
                {"product_id": 8_123_456_789_012_u64, "variant_id": 44_123_456_789_012_u64, "sku": "FUL-PAR-M",
                 "name": "Fulmar Parka", "variant": "M", "brand": "Fulmar", "price": 80.0, "quantity": 1},
                {"product_id": "WRAP", "sku": "WRAP", "name": "Gift wrapping", "price": 10.0, "quantity": 2},
            ],
        });
        assert_eq!(Value::Object(properties.clone()), expected);
        assert_eq!(traits(&events)["email"], "ann@shop.example");
        assert_eq!(events.len(), 2);
    }

    #[test]
    fn a_guest_of_shopify_is_known_by_address_alone() {
        let guest = changed(SHOPIFY_ORDER, &[("/customer", Value::Null)]);
        let events = events(Preset::Shopify, "orders/create", &guest);
        let (order, _) = track(&events, "Order Completed");
        assert_eq!((&order.who.user_id, order.who.email.as_deref()), (&None, Some("ann@shop.example")));
    }

    #[test]
    fn what_becomes_of_a_shopify_order_is_told_once_each() {
        let names = |topic: &str, status: &str| -> Vec<String> {
            let body = changed(SHOPIFY_ORDER, &[("/financial_status", json!(status))]);
            let events = events(Preset::Shopify, topic, &body);
            events.iter().map(|event| event.message_id.as_str().to_owned()).collect()
        };
        assert_eq!(names("orders/paid", "paid"), ["shop~Order Paid~5678901234567"]);
        assert_eq!(names("orders/cancelled", "voided"), ["shop~Order Cancelled~5678901234567"]);
        assert_eq!(names("orders/updated", "refunded"), ["shop~Order Refunded~5678901234567"]);
        assert_eq!(names("orders/updated", "partially_refunded"), ["shop~Order Refunded~901234567890"]);
        assert_eq!(names("orders/updated", "paid"), [""; 0]);
        assert_eq!(names("products/update", "paid"), [""; 0]);
    }

    #[test]
    fn a_shopify_customer_is_who_they_are() {
        for topic in ["customers/create", "customers/update"] {
            let events = events(Preset::Shopify, topic, &changed(SHOPIFY_CUSTOMER, &[]));
            let traits = traits(&events);
            assert_eq!((&traits["first_name"], &traits["email"]), (&json!("Ann"), &json!("ann@shop.example")));
            assert_eq!((&traits["total_spent"], &traits["country"]), (&json!(413.05), &json!("DE")));
            assert_eq!(events[0].who.user_id.as_ref().map(UserId::as_str), Some("7012345678901"));
        }
    }

    #[test]
    fn a_woocommerce_order_counts_once_it_is_placed() {
        let with = |status: &str| changed(WOO_ORDER, &[("/status", json!(status))]);
        assert_eq!(events(Preset::Woocommerce, "order.created", &with("pending")).len(), 0);
        for topic in ["order.created", "order.updated"] {
            let events = events(Preset::Woocommerce, topic, &with("processing"));
            let (order, properties) = track(&events, "Order Completed");
            assert_eq!(order.message_id.as_str(), "shop~Order Completed~727");
            assert_eq!(order.who.user_id.as_ref().map(UserId::as_str), Some("26"));
            assert_eq!(order.at, Some(1_760_000_523_000));
            assert_eq!((&properties["total"], &properties["currency"]), (&json!(39.0), &json!("EUR")));
            assert_eq!(
                properties["products"][1],
                json!({"product_id": 22, "variant_id": 23, "sku": "SOCKS-3",
                "name": "Wool socks", "price": 7.0, "quantity": 2})
            );
            assert_eq!(track(&events, "Order Paid").0.message_id.as_str(), "shop~Order Paid~727");
            assert_eq!(traits(&events)["last_name"], "Adler");
        }
    }

    #[test]
    fn what_becomes_of_a_woocommerce_order_is_told() {
        let status = |status: &str| changed(WOO_ORDER, &[("/status", json!(status)), ("/customer_id", json!(0))]);
        let refunded = events(Preset::Woocommerce, "order.updated", &status("refunded"));
        let (event, _) = track(&refunded, "Order Refunded");
        assert_eq!(
            (event.message_id.as_str(), event.who.email.as_deref()),
            ("shop~Order Refunded~727", Some("ann@shop.example"))
        );
        assert_eq!(event.who.user_id, None, "0 is nobody");
        let cancelled = events(Preset::Woocommerce, "order.updated", &status("cancelled"));
        assert_eq!(track(&cancelled, "Order Cancelled").0.message_id.as_str(), "shop~Order Cancelled~727");
    }

    #[test]
    fn a_woocommerce_customer_is_who_they_are() {
        let events = events(Preset::Woocommerce, "customer.updated", &changed(WOO_CUSTOMER, &[]));
        assert_eq!((&traits(&events)["last_name"], &traits(&events)["city"]), (&json!("Adler"), &json!("Bonn")));
        assert_eq!(events[0].who.user_id.as_ref().map(UserId::as_str), Some("26"));
    }
}
