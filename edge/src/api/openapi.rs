//! The OpenAPI 3.1 document, generated from the types when the worker was built.

/// The document as JSON text.
pub(super) const DOCUMENT: &str = include_str!(concat!(env!("OUT_DIR"), "/openapi.json"));
