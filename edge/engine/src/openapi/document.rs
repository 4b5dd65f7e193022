//! The document as a whole.

use endcap_api::{Method, Operation};
use serde_json::{Map, Value, json};

use super::builder::Builder;
use super::describe::{describe, path_parameters};
use super::examples;
use super::tidy::tidy;

/// The document: every route of the table.
#[must_use]
pub fn document() -> Value {
    let mut doc = Builder::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in Operation::ALL {
        let route = operation.route();
        let mut described = describe(&mut doc, *operation);
        examples::add(&mut described, *operation);
        let path = route.described_path();
        let item = paths.entry(path).or_insert_with(|| path_parameters(route.path));
        if let Some(item) = item.as_object_mut() {
            item.insert(name(route.method).to_owned(), described);
        }
    }
    let schemas = doc.generator.take_definitions(true);
    let mut document = json!({
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
    });
    tidy(&mut document);
    document
}

/// A method as a member of a path.
fn name(method: Method) -> &'static str {
    match method {
        Method::Get | Method::GetOrHead => "get",
        Method::Put => "put",
        Method::Post => "post",
        Method::Delete => "delete",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_group_a_summary_and_says_who_may() {
        let document = document();
        let named: Vec<&str> =
            document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
        assert!(document["tags"].as_array().unwrap().iter().all(|tag| tag["description"].as_str().unwrap().len() > 10));
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap().iter().filter(|(method, _)| *method != "parameters") {
                let [tag] = operation["tags"].as_array().unwrap().as_slice() else { panic!("{path} {method}") };
                assert!(named.contains(&tag.as_str().unwrap()), "{path} {method}");
                assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{path} {method}");
                assert!(operation["security"].is_array(), "{path} {method}");
                let statuses: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
                assert!(statuses.iter().any(|status| status.starts_with('4')), "{path} {method}: {statuses:?}");
            }
        }
        assert_eq!(document["servers"][0]["url"], "/");
    }
}
