//! The pieces of which operations are put together.

use endcap_api::{Operation, Payload};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::answers::ErrorBody;
use super::schema::schema_of;

/// A request that says something wrong.
pub(super) const WRONG: (&str, &str) = ("400", "The request is wrong; `path` says where.");
/// A body that is too large.
pub(super) const LARGE: (&str, &str) = ("413", "The body is over its bound.");
/// A method that the route does not take.
pub(super) const METHOD: (&str, &str) = ("405", "The route does not take this method.");

/// What is said of an operation besides its row in the table of routes.
pub(super) struct Text<'a> {
    /// What it does, in a few words.
    pub(super) summary: &'a str,
    /// Status and description of its answer.
    pub(super) answer: (&'a str, &'a str),
    /// Errors of its own.
    pub(super) errors: &'a [(&'a str, &'a str)],
}

/// The document while it is written.
pub(super) struct Builder {
    /// Collects the schemas of types.
    pub(super) generator: SchemaGenerator,
}

impl Builder {
    /// An empty document.
    pub(super) fn new() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
        Self { generator: settings.into_generator() }
    }

    /// The schema of a type.
    pub(super) fn schema<T: JsonSchema>(&mut self) -> Schema {
        self.generator.subschema_for::<T>()
    }

    /// An answer with a body of a type.
    pub(super) fn json<T: JsonSchema>(&mut self, description: &str) -> Value {
        json!({"description": description, "content": {"application/json": {"schema": self.schema::<T>()}}})
    }

    /// Answers with an error, by status.
    pub(super) fn errors(&mut self, statuses: &[(&str, &str)]) -> Map<String, Value> {
        let mut answers = Map::new();
        for (status, description) in statuses {
            answers.insert((*status).to_owned(), self.json::<ErrorBody>(description));
        }
        answers
    }

    /// The answer of a route when all is well.
    pub(super) fn answer(&mut self, payload: Payload, description: &str) -> Value {
        match schema_of(&mut self.generator, payload) {
            None => json!({"description": description}),
            Some(schema) => json!({"description": description, "content": {"application/json": {"schema": schema}}}),
        }
    }

    /// The body that a route takes.
    pub(super) fn body(&mut self, payload: Payload) -> Value {
        json!({"required": true, "content": {"application/json": {"schema": schema_of(&mut self.generator, payload)}}})
    }

    /// An operation of the server API: its answer, the errors that all share, and those of its own.
    pub(super) fn operation(&mut self, operation: Operation, text: &Text<'_>) -> Value {
        let route = operation.route();
        let mut answers = self.errors(&[
            ("401", "The key is missing or wrong."),
            METHOD,
            ("503", "The request failed at the edge and was not kept; try again."),
        ]);
        answers.extend(self.errors(text.errors));
        let (status, description) = text.answer;
        answers.insert(status.to_owned(), self.answer(route.answer, description));
        let whole =
            json!({"operationId": route.id, "summary": text.summary, "security": [{"key": []}], "responses": answers});
        if route.request == Payload::Nothing { whole } else { with(whole, "requestBody", self.body(route.request)) }
    }
}

/// The operation with one member more.
pub(super) fn with(mut operation: Value, member: &str, value: Value) -> Value {
    if let Some(object) = operation.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
    operation
}

/// An answer whose JSON is not described further.
pub(super) fn plain(description: &str) -> Value {
    json!({"description": description, "content": {"application/json": {"schema": {"type": "object"}}}})
}
