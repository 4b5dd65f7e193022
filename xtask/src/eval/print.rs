//! A report for people: its figures by name, those of a list in one line each.

use serde_json::Value;

/// A report as text.
pub(crate) fn text_of(report: &Value) -> String {
    let mut lines = Vec::new();
    members(report, 0, &mut lines);
    lines.push(String::new());
    lines.join("\n")
}

fn members(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let Value::Object(members) = value else { return };
    let indent = "  ".repeat(depth);
    for (name, value) in members {
        match value {
            Value::Object(_) => {
                lines.push(format!("{indent}{name}"));
                self::members(value, depth + 1, lines);
            }
            Value::Array(list) => {
                lines.push(format!("{indent}{name}"));
                list.iter().for_each(|entry| item(entry, depth + 1, lines));
            }
            plain => lines.push(format!("{indent}{name:<22} {}", figure(plain))),
        }
    }
}

/// An entry of a list: in one line where it holds only figures.
fn item(entry: &Value, depth: usize, lines: &mut Vec<String>) {
    let Value::Object(members) = entry else { return };
    if members.values().any(|value| value.is_object() || value.is_array()) {
        self::members(entry, depth, lines);
        return;
    }
    let parts: Vec<String> = members.iter().map(|(name, value)| format!("{name} {}", figure(value))).collect();
    lines.push(format!("{}{}", "  ".repeat(depth), parts.join("  ")));
}

fn figure(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => format!("{:.4}", number.as_f64().unwrap_or_default()),
        Value::String(text) => text.clone(),
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn figures_stand_by_their_names() {
        let report = json!({"auc": 0.75123, "of": {"n": 3, "why": null}, "stars": [{"stars": 5, "share": 0.05}]});
        let text = text_of(&report);
        for line in [
            "auc                    0.7512",
            "of",
            "  n                      3",
            "  why                    –",
            "  share 0.0500  stars 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in {text}");
        }
    }
}
