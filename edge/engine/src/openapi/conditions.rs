//! Routes about conditions.

use endcap_api::Operation;
use serde_json::Value;

use super::builder::{Builder, LARGE, Text, WRONG, with};
use super::people::identifiers;

/// The description of an operation on conditions.
pub(super) fn describe(doc: &mut Builder, operation: Operation) -> Value {
    if operation == Operation::ExplainCondition {
        let text = Text {
            summary: "Why a condition holds of a person, or does not",
            answer: ("200", "Each part of the condition, with the value that it saw."),
            errors: &[WRONG, ("404", "No profile has this identifier."), LARGE],
        };
        return with(doc.operation(operation, &text), "parameters", identifiers());
    }
    let text = Text {
        summary: "A condition in both of its forms",
        answer: ("200", "The condition as JSON and as text."),
        errors: &[WRONG, LARGE],
    };
    doc.operation(operation, &text)
}
