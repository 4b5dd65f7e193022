//! Writes a condition as text.

use super::edge_facts;
use super::leaf::quoted;
use crate::condition::{Condition, Scope};
use crate::stage::Stage;

/// The text of a condition, from which [`parse`](super::parse) reads the same condition.
#[must_use]
pub fn print(condition: &Condition) -> String {
    match condition {
        Condition::All(parts) => joined(parts, "all", " and "),
        Condition::Any(parts) => joined(parts, "any", " or "),
        Condition::AtLeast(least, parts) => {
            format!("at_least {least} of ({})", parts.iter().map(print).collect::<Vec<_>>().join(", "))
        }
        Condition::Not(part) => format!("not {}", as_part(part)),
        Condition::SomeCategory(part) => format!("some_category({})", print(part)),
        Condition::Compare(fact, scope, op, number) => {
            let of = match scope {
                Scope::All => String::new(),
                Scope::Bound => "(category = $)".to_owned(),
                Scope::Named(category) => format!("(category = {})", quoted(category)),
            };
            format!("{}{of} {} {number}", fact.as_str(), op.as_str())
        }
        Condition::StageIn(bits) => match Stage::names_of(*bits).as_slice() {
            [name] => format!("stage = {name}"),
            names => format!("stage in ({})", names.join(", ")),
        },
        Condition::Path(pattern) => format!("url_path matches {}", quoted(pattern)),
        Condition::Edge(fact) => edge_facts::print(fact),
    }
}

/// Two parts or more stand between `and`s or `or`s; fewer in a list, which says which of the two it is.
fn joined(parts: &[Condition], list: &str, word: &str) -> String {
    match parts {
        [] | [_] => format!("{list}({})", parts.iter().map(print).collect::<String>()),
        parts => parts.iter().map(as_part).collect::<Vec<_>>().join(word),
    }
}

/// A condition as a part of another: what is joined stands in parentheses.
fn as_part(condition: &Condition) -> String {
    match condition {
        Condition::All(parts) | Condition::Any(parts) if parts.len() > 1 => format!("({})", print(condition)),
        _ => print(condition),
    }
}
