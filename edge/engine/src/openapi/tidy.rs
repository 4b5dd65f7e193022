//! What linters and generators of clients ask of a document, said once for all operations.

use serde_json::{Map, Value, json};

/// Groups of operations: beginning of the path, name, and what they are. The first that fits counts.
const TAGS: [(&str, &str, &str); 12] = [
    ("/api/profiles/unmerge", "Identity", "Who is whom: links between browsers and people, and decisions about them."),
    ("/api/identity", "Identity", ""),
    ("/api/profiles", "People", "Profiles, their events, their export and their erasure."),
    ("/api/products", "Shop", "What a shop configures: products, campaigns, settings and webhooks."),
    ("/api/campaigns", "Shop", ""),
    ("/api/settings", "Shop", ""),
    ("/api/webhooks", "Shop", ""),
    ("/api/links", "Messages", "Pixels and links for e-mails."),
    ("/api/quarantine", "Quarantine", "Events that were refused, and what was repaired."),
    ("/api", "Operations", "How the deployment is, and what its operator decides."),
    ("/healthz", "Operations", ""),
    ("/v1", "Server events", "Events of servers: the APIs of Segment and RudderStack, and webhooks."),
];
/// The group of RudderStack's routes, which lie elsewhere.
const VENDOR: [&str; 2] = ["/sourceConfig", "/beacon"];
/// The group of the routes that pages use.
const BROWSER: (&str, &str) = ("Browser", "What pages send and fetch, below the deployment's prefix.");

/// Adds servers, groups and the words that no key is needed, and writes schemas in the form that every reader takes.
pub(super) fn tidy(document: &mut Value) {
    let Some(document) = document.as_object_mut() else { return };
    // Relative: the document is served by the host that it describes.
    document.insert("servers".to_owned(), json!([{"url": "/", "description": "The host that serves this document"}]));
    document.insert("tags".to_owned(), tags());
    for (path, item) in members(document.get_mut("paths")) {
        let tag = tag_of(path);
        for (method, operation) in members(Some(item)) {
            if method != "parameters" {
                tidy_operation(operation, tag);
            }
        }
    }
    for (_, schema) in document.get_mut("components").into_iter().flat_map(|all| members(all.get_mut("schemas"))) {
        tidy_schema(schema);
    }
}

fn members(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut)
}

fn tags() -> Value {
    let described = TAGS.into_iter().filter(|(.., what)| !what.is_empty()).map(|(_, name, what)| (name, what));
    described.chain([BROWSER]).map(|(name, description)| json!({"name": name, "description": description})).collect()
}

fn tag_of(path: &str) -> &'static str {
    let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if VENDOR.into_iter().any(below) {
        return "Server events";
    }
    TAGS.into_iter().find(|(root, ..)| below(root)).map_or(BROWSER.0, |(_, name, _)| name)
}

fn tidy_operation(operation: &mut Value, tag: &str) {
    let Some(operation) = operation.as_object_mut() else { return };
    operation.insert("tags".to_owned(), json!([tag]));
    // Nobody needs a key unless it says so.
    operation.entry("security").or_insert_with(|| json!([]));
    let mut bodies: Vec<&mut Value> = Vec::new();
    for (name, value) in operation.iter_mut() {
        match name.as_str() {
            "requestBody" => bodies.push(value),
            "responses" => bodies.extend(members(Some(value)).map(|(_, answer)| answer)),
            _ => {}
        }
    }
    for body in bodies {
        for (_, content) in members(body.get_mut("content")) {
            content.get_mut("schema").into_iter().for_each(tidy_schema);
        }
    }
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    if !answers.keys().any(|status| status.starts_with('4')) {
        answers.insert("405".to_owned(), json!({"description": super::builder::METHOD.1}));
    }
}

/// Members whose values are lists of schemas, and those whose values are schemas by name.
const LISTS: [&str; 4] = ["anyOf", "oneOf", "allOf", "prefixItems"];
const MAPS: [&str; 2] = ["properties", "$defs"];

/// Longest default that is written out.
const DEFAULT: usize = 60;

/// Says a default in words: generators of clients take a member that has one for a member that has to be there.
fn tidy_default(members: &mut Map<String, Value>) {
    let Some(default) = members.remove("default").filter(|default| !default.is_null()) else { return };
    let written = default.to_string();
    let said =
        if written.len() > DEFAULT { "Left out, it has a default.".to_owned() } else { format!("Default: {written}.") };
    let text = members.get("description").and_then(Value::as_str).map_or(said.clone(), |before| {
        let stop = if before.ends_with('.') { "" } else { "." };
        format!("{before}{stop} {said}")
    });
    members.insert("description".to_owned(), text.into());
}

/// Writes "anything" as `{}`, an object of anything as such, and a choice of one as that one: not every reader knows the other
/// forms, and some take an object without members for an empty one.
fn tidy_schema(schema: &mut Value) {
    if *schema == Value::Bool(true) {
        *schema = json!({});
    }
    let Some(members) = schema.as_object_mut() else { return };
    tidy_default(members);
    let says_more = ["properties", "additionalProperties", "oneOf", "anyOf", "allOf", "$ref"];
    if members.get("type") == Some(&json!("object")) && !says_more.iter().any(|name| members.contains_key(*name)) {
        members.insert("additionalProperties".to_owned(), json!({}));
    }
    if let Some(Value::Array(choices)) = members.get_mut("oneOf")
        && choices.len() == 1
        && let Some(Value::Object(only)) = choices.pop()
    {
        members.remove("oneOf");
        for (name, value) in only {
            members.entry(name).or_insert(value);
        }
    }
    tidy_inner(members);
    // A choice with "anything" in it is anything.
    if members.get("anyOf").and_then(Value::as_array).is_some_and(|choices| choices.contains(&json!({}))) {
        members.remove("anyOf");
    }
}

/// Tidies the schemas that a schema is made of.
fn tidy_inner(members: &mut Map<String, Value>) {
    for (name, value) in members.iter_mut() {
        match value {
            Value::Array(schemas) if LISTS.contains(&name.as_str()) => schemas.iter_mut().for_each(tidy_schema),
            Value::Object(schemas) if MAPS.contains(&name.as_str()) => schemas.values_mut().for_each(tidy_schema),
            _ if name == "items" => tidy_schema(value),
            Value::Object(_) if name == "additionalProperties" => tidy_schema(value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_a_default_may_be_left_out_and_objects_of_anything_hold_anything() {
        let mut schema = json!({"type": "object", "properties": {
            "template": {"$ref": "#/components/schemas/Template", "default": "card"},
            "limit": {"type": "integer", "description": "How many", "default": 4},
            "none": {"type": ["string", "null"], "default": null},
            "traits": {"type": "object"}}});
        tidy_schema(&mut schema);
        let expected = json!({
            "template": {"$ref": "#/components/schemas/Template", "description": "Default: \"card\"."},
            "limit": {"type": "integer", "description": "How many. Default: 4."},
            "none": {"type": ["string", "null"]},
            "traits": {"type": "object", "additionalProperties": {}}});
        assert_eq!(schema["properties"], expected);
    }

    #[test]
    fn schemas_have_the_forms_that_every_reader_takes() {
        let mut schema = json!({"oneOf": [{"const": true, "type": "boolean"}], "description": "d",
            "properties": {"any": true, "list": {"items": true}, "or": {"anyOf": [true, {"type": "null"}]}},
            "additionalProperties": false});
        tidy_schema(&mut schema);
        assert_eq!(
            schema,
            json!({"const": true, "type": "boolean", "description": "d",
            "properties": {"any": {}, "list": {"items": {}}, "or": {}},
            "additionalProperties": false})
        );
    }
}
