//! What the server API takes: refused by path, or saved and read back unchanged.

use endcap_api::Method;
use endcap_engine::shop::campaign::Definition;
use endcap_engine::shop::product::Products;
use endcap_engine::shop::{Campaign, Settings, Snapshot};
use endcap_protocol::CampaignId;
use endcap_targeting::Program;
use endcap_targeting::evaluate::leaves;
use endcap_validation::{DomainError, read_json};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{product, shop, with};

/// The code and path with which products are refused.
fn refused(products: &Value) -> (&'static str, String) {
    let read = read_json::<Products>(products.to_string().as_bytes());
    let error = read.and_then(|products| Ok(products.check()?)).unwrap_err();
    (error.code(), error.path().to_owned())
}

#[test]
fn products_are_refused_by_path() {
    let good = product("boot", "shoes");
    let second = |key: &str, value: Value| json!({"products": [good, with(good.clone(), key, value)]});
    let cases = [
        (second("id", json!("")), "products[1].id"),
        (second("id", json!(7)), "products[1].id"),
        (second("title", json!("")), "products[1].title"),
        (second("title", json!("a\nb")), "products[1].title"),
        (second("url", json!("javascript:alert(1)")), "products[1].url"),
        (second("image", json!("//elsewhere.example/i.png")), "products[1].image"),
        (second("category", json!("x".repeat(129))), "products[1].category"),
        (second("brand", json!("x".repeat(101))), "products[1].brand"),
        (second("available", json!("yes")), "products[1].available"),
        (second("price", json!({"amount": -1, "currency": "EUR"})), "products[1].price.amount"),
        (second("price", json!({"amount": 1.5, "currency": "EUR"})), "products[1].price.amount"),
        (second("price", json!({"amount": 1, "currency": "EURO"})), "products[1].price.currency"),
        (json!({"products": {}}), "products"),
    ];
    for (body, path) in cases {
        assert_eq!(refused(&body), ("invalid_field", path.to_owned()), "{body}");
    }
    assert_eq!(refused(&json!({"products": vec![good; 10_001]})), ("invalid_field", "products".to_owned()));
}

#[test]
fn a_body_that_is_no_json_has_no_path() {
    for body in ["", "{", "nonsense", "{\"products\":[]} trailing", "{\"products\":[{\"id\":]}"] {
        let error = read_json::<Products>(body.as_bytes()).unwrap_err();
        assert_eq!((error.code(), error.path(), error.status()), ("invalid_json", "", 400), "{body}");
    }
}

#[test]
fn every_error_has_a_code_a_status_and_a_body() {
    let field = endcap_protocol::FieldError::new("a.b", "must be right");
    let cases = [
        (DomainError::Field(field), "invalid_field", 400, "a.b"),
        (DomainError::Json("no".into()), "invalid_json", 400, ""),
        (DomainError::TooLarge { limit: 5 }, "too_large", 413, ""),
        (DomainError::Format { what: "profile", format: 9 }, "unreadable_row", 500, ""),
        (DomainError::NotFound("campaign"), "not_found", 404, ""),
        (DomainError::Unauthorized, "unauthorized", 401, ""),
        (DomainError::Forbidden("https://x.example".into()), "forbidden_origin", 403, ""),
        (DomainError::Method(vec![Method::Get]), "method_not_allowed", 405, ""),
        (DomainError::MediaType, "unsupported_media_type", 415, ""),
        (DomainError::Internal("secret detail".into()), "internal", 503, ""),
    ];
    for (error, code, status, path) in cases {
        let body: Value = serde_json::from_str(&error.to_json()).unwrap();
        assert_eq!((body["error"]["code"].as_str(), body["error"]["path"].as_str()), (Some(code), Some(path)));
        assert_eq!(error.status(), status, "{code}");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains("secret"), "{message}");
    }
}

#[test]
fn a_refused_method_names_those_that_are_taken() {
    assert_eq!(
        DomainError::Method(vec![Method::Get, Method::Put, Method::Delete]).allow().as_deref(),
        Some("GET, PUT, DELETE")
    );
    assert_eq!(DomainError::MediaType.allow(), None);
}

#[test]
fn a_newer_snapshot_replaces_only_what_it_brings() {
    let first = shop(&[("c1", json!({"name": "n", "type": "popup", "content": {"title": "t"}}))], &json!({}));
    let settings = json!({"lifecycle": {"default_cycle_days": 7}});
    let config = json!({"version": 2, "settings": settings, "campaigns": [], "products": [product("hat", "hats")]});
    let second = first.with(serde_json::from_value(json!({"config": config})).unwrap()).unwrap();
    assert_eq!((second.config_version, second.campaigns.len()), (2, 0));
    assert_eq!(second.cycle_ms, 7 * endcap_protocol::DAY_MS);
    assert!(second.catalogue.get("hat").is_some() && second.catalogue.get("boot").is_none());
    let same = second.with(serde_json::from_value(json!({})).unwrap()).unwrap();
    assert_eq!((same.config_version, same.model_version, same.cycle_ms), (2, 0, second.cycle_ms));
    assert!(same.catalogue.get("hat").is_some());
    let saved = |id: &str, title: &str| json!({"id": id, "version": 1, "definition": {"name": "n", "type": "popup", "content": {"title": title}}});
    let mixed = json!({"config": {"version": 3, "settings": {}, "products": [],
        "campaigns": [saved("c1", ""), saved("c3", "t")], "later_campaigns": [saved("c2", "t")]}});
    let third = first.with(serde_json::from_value(mixed).unwrap()).unwrap();
    let ids: Vec<&str> = third.campaigns.iter().map(|campaign| campaign.id.as_str()).collect();
    assert_eq!(
        (ids, third.unreadable_campaigns),
        (vec!["c2", "c3"], vec!["c1".to_owned()]),
        "one that is broken keeps out no other"
    );
    assert_eq!(Snapshot::empty().config_version, 0);
}

/// A condition of any shape that the grammar allows, and some that it does not.
fn any_condition() -> impl Strategy<Value = Value> {
    let fact = prop::sample::select(vec!["orders", "products_viewed", "cart_value", "stage", "url_path", "unknown"]);
    let leaf = (fact, prop::sample::select(vec!["=", ">=", "~"]), -3_i64..9, any::<bool>()).prop_map(
        |(fact, op, value, bound)| match fact {
            "stage" => json!({"fact": fact, "in": ["new", "deep"]}),
            "url_path" => json!({"fact": fact, "matches": "/c/*"}),
            "products_viewed" if bound => json!({"fact": fact, "category": "$", "op": op, "value": value}),
            _ => json!({"fact": fact, "op": op, "value": value}),
        },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            (prop::sample::select(vec!["all", "any"]), list).prop_map(|(key, parts)| json!({key: parts})),
            (prop::sample::select(vec!["not", "some_category"]), inner).prop_map(|(key, part)| json!({key: part})),
        ]
    })
}

proptest! {
    #[test]
    fn a_campaign_that_is_taken_travels_to_the_page(condition in any_condition()) {
        let definition = json!({"name": "n", "type": "popup", "content": {"title": "t"}, "condition": condition});
        let read: Definition = read_json(definition.to_string().as_bytes()).unwrap();
        match Campaign::new(CampaignId::parse("c1").unwrap(), 1, read) {
            Ok(campaign) => {
                let program = &campaign.compiled.program;
                prop_assert_eq!(Program::decode(&program.encode()), Ok(program.clone()));
                prop_assert_eq!(leaves(&program.condition), campaign.compiled.labels.len());
            }
            Err(error) => prop_assert!(error.path.starts_with("condition"), "{error}"),
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = (read_json::<Products>(&bytes), read_json::<Definition>(&bytes));
        if let Ok(settings) = read_json::<Settings>(&bytes) {
            let _ = settings.check();
        }
    }
}
