//! The description of the API: complete in itself, and true of what the engine answers.

use std::collections::BTreeSet;

use endcap_engine::batch_reply::BatchReply;
use endcap_engine::computed_traits::Reference;
use endcap_engine::openapi::document;
use endcap_engine::profile_view::ProfileView;
use endcap_engine::shop::Settings;
use endcap_engine::shop::calendar::utc_hour;
use endcap_engine::shop::snapshot::Catalogue;
use endcap_events::ingest::rejection::RejectCode;
use serde_json::{Value, json};

use crate::support::{NOW, added, after, event, ordered, page, person, proved, settled};

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Calls `visit` with every value of the document and its place.
fn walk(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    visit(place, value);
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| walk(inner, &format!("{place}/{key}"), visit)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| walk(inner, &format!("{place}/{n}"), visit))
        }
        _ => {}
    }
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &Value)| {
        let methods = METHODS.iter().filter_map(|method| Some(((*method).to_owned(), item.get(method)?.clone())));
        methods.map(|(method, operation)| (path.clone(), method, operation)).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, "", &mut |place, value| {
        if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{place} refers outside: {reference}"));
            assert!(document.pointer(pointer).is_some(), "{place} refers to {reference}");
            used.insert(pointer.to_owned());
        }
    });
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(used.contains(&format!("/components/schemas/{name}")), "{name} is used nowhere");
    }
}

#[test]
fn every_operation_is_named_described_and_answers() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let found = operations(&document);
    let mut names = BTreeSet::new();
    for (path, method, operation) in &found {
        let place = format!("{method} {path}");
        assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with(['2', '3'])), "{place} can succeed");
        assert!(answers.values().all(|answer| answer["description"].is_string()), "{place}");
        let keyed = path.starts_with("/api/") && path != "/api/openapi.json";
        assert_eq!(operation["security"] == json!([{"key": []}]), keyed, "{place} wants the key");
        assert!(!keyed || answers.contains_key("401"), "{place}");
        // A fit of the scores takes nothing.
        let takes_body = matches!(method.as_str(), "put" | "post") && path != "/api/scores/fit";
        assert_eq!(operation.get("requestBody").is_some(), takes_body, "{place}");
    }
    let routes = endcap_api::Operation::ALL.iter().map(|operation| operation.route());
    let table: BTreeSet<(String, String)> = routes.map(|route| (route.described_path(), route.id.to_owned())).collect();
    let described: BTreeSet<(String, String)> =
        found.iter().map(|(path, _, op)| (path.clone(), op["operationId"].as_str().unwrap().to_owned())).collect();
    assert_eq!(described, table, "the document has every route of the table and no other");
}

#[test]
fn every_part_of_a_path_is_a_parameter() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        let in_path: BTreeSet<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        // Of all its operations, or of each.
        let lists = [item].into_iter().chain(METHODS.iter().filter_map(|method| item.get(method)));
        let declared: Vec<&Value> = lists.filter_map(|place| place.get("parameters")?.as_array()).flatten().collect();
        let declared: BTreeSet<&str> =
            declared.iter().filter(|p| p["in"] == "path").map(|p| p["name"].as_str().unwrap()).collect();
        assert_eq!(in_path, declared, "{path}");
    }
}

#[test]
fn every_body_that_is_described_has_an_example_that_fits() {
    let document = document();
    let mut seen = 0;
    for (path, method, operation) in operations(&document) {
        let body = &operation["requestBody"]["content"]["application/json"];
        if body["schema"].as_object().is_none_or(serde_json::Map::is_empty) {
            continue;
        }
        fits(&document, &body["schema"], &body["example"]).unwrap_or_else(|why| panic!("{method} {path}: {why}"));
        seen += 1;
    }
    assert_eq!(seen, 35);
}

/// Whether a value fits a schema, as far as generated schemas go: types, members, items, alternatives, enums.
fn fits(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return fits(document, document.pointer(&reference[1..]).unwrap(), value);
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(schemas) = schema.get(several).and_then(Value::as_array) {
            let fitting = schemas.iter().any(|schema| fits(document, schema, value).is_ok());
            return if fitting { Ok(()) } else { Err(format!("{value} fits no part of {schema}")) };
        }
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array) {
        return if allowed.contains(value) { Ok(()) } else { Err(format!("{value} is not among {allowed:?}")) };
    }
    if schema.get("const").is_some_and(|only| only != value) {
        return Err(format!("{value} is not {}", schema["const"]));
    }
    let types = match schema.get("type") {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !(types.contains(&is) || is == "integer" && types.contains(&"number")) {
        return Err(format!("{value} is {is}, not {types:?}"));
    }
    match value {
        Value::Array(items) => items.iter().try_for_each(|item| fits(document, &schema["items"], item)),
        Value::Object(members) => object_fits(document, schema, members),
        _ => Ok(()),
    }
}

fn object_fits(document: &Value, schema: &Value, members: &serde_json::Map<String, Value>) -> Result<(), String> {
    let known = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let required = schema.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(missing) = required.iter().filter_map(Value::as_str).find(|key| !members.contains_key(*key)) {
        return Err(format!("{missing} is missing"));
    }
    let others = schema.get("additionalProperties");
    members.iter().try_for_each(|(key, value)| match (known.get(key), others) {
        (Some(schema), _) => fits(document, schema, value).map_err(|why| format!("{key}: {why}")),
        (None, Some(schema @ Value::Object(_))) => fits(document, schema, value).map_err(|why| format!("{key}: {why}")),
        (None, Some(Value::Bool(true))) => Ok(()),
        (None, _) => Err(format!("{key} is not described")),
    })
}

#[track_caller]
fn assert_fits(name: &str, value: &Value) {
    let document = document();
    assert!(document["components"]["schemas"].get(name).is_some(), "{name} is described");
    let schema = json!({"$ref": format!("#/components/schemas/{name}")});
    if let Err(why) = fits(&document, &schema, value) {
        panic!("{name}: {why}\n{value:#}");
    }
}

#[test]
fn a_profile_is_as_described() {
    let shown = json!({"name": "Campaign Shown", "properties": {"campaign_id": "c1"}});
    let mut row = after(&[
        page("a", NOW - 9, "https://shop.example/?utm_source=mail&gclid=1"),
        added("b", NOW - 8, "boot", "shoes"),
        ordered("c", NOW - 7, "o1", "boot"),
        added("d", NOW - 6, "cape", "coats"),
        event("impression", "e", NOW - 5, &shown),
        proved("f", NOW - 4, "ann", &json!({"city": "Rome", "size": 38, "vip": true})),
    ]);
    row.push_decided(&crate::support::first(crate::support::BROWSER), "m", "cart_left", NOW);
    let person = settled(&mut row, NOW).person;
    let catalogue = Catalogue::default();
    let reference = Reference { catalogue: &catalogue, hour_of: &utc_hour };
    let view = serde_json::to_value(ProfileView::new(&row, &person, reference)).unwrap();
    assert_fits("ProfileView", &view);
    assert_eq!(view["stage"]["current"], "new");
    assert_eq!(view["pushes"][0]["outcome"], "pending");
    assert_eq!(view["touchpoints"]["first"]["utm"], json!({"source": "mail"}));
    assert_eq!(view["counters"]["revenue"], json!({"EUR": 2000}));
    assert_eq!(view["events"][0]["name"], "Identified", "the latest first");
}

#[test]
fn answers_and_settings_are_as_described() {
    assert_fits("Settings", &serde_json::to_value(Settings::default()).unwrap());
    let error = endcap_validation::DomainError::Field(endcap_protocol::FieldError::new("a.b", "is wrong"));
    assert_fits("ErrorBody", &serde_json::from_str(&error.to_json()).unwrap());
    let mut row = after(&[]);
    let person = person(&row);
    settled(&mut row, NOW);
    let setting = endcap_engine::decide::Setting {
        profile_id: "p",
        now: NOW,
        vapid: Some(("k", "key")),
        room: 50_000,
        facts: &endcap_targeting::edge_fact::Nobody,
    };
    let ask = serde_json::from_value(json!({"slots": [{"name": "home"}], "url": "/"})).unwrap();
    let campaign =
        json!({"name": "n", "type": "popup", "content": {"title": "t", "products": {"from": "viewed", "limit": 2}}});
    let shop = crate::support::shop(&[("c", campaign)], &json!({}));
    let decision = endcap_engine::decide::decide(&person, &ask, &shop, &setting);
    let rejection =
        serde_json::from_value(json!({"index": 1, "code": "no_consent", "path": "", "message": "m"})).unwrap();
    let reply = BatchReply::of(vec!["a".into()], vec![], vec![rejection]);
    let reply = serde_json::to_value(reply.deciding(Some(&decision)).unwrap()).unwrap();
    assert_eq!(reply["decision"]["slots"]["home"]["items"].as_array().map(Vec::len), Some(4));
    assert_fits("BatchReply", &reply);
}

#[test]
fn what_is_not_as_described_is_noticed() {
    let document = document();
    let schema = json!({"$ref": "#/components/schemas/ErrorBody"});
    for wrong in [
        json!({}),
        json!({"error": 1}),
        json!({"error": {"code": 1, "message": "", "path": ""}}),
        json!({"error": {"code": "", "message": "", "path": "", "more": 1}}),
    ] {
        assert!(fits(&document, &schema, &wrong).is_err(), "{wrong}");
    }
}

#[test]
fn every_reject_code_is_described() {
    let codes = [
        RejectCode::InvalidEvent,
        RejectCode::InvalidField,
        RejectCode::TooLarge,
        RejectCode::TooLate,
        RejectCode::InFuture,
        RejectCode::NoConsent,
        RejectCode::WrongVisitor,
    ];
    let schema = &document()["components"]["schemas"]["RejectCode"];
    for code in codes {
        let name = serde_json::to_value(code).unwrap();
        assert!(schema.to_string().contains(&name.to_string()), "{name}");
    }
}
