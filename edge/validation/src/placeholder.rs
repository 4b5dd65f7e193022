//! Placeholders in texts that visitors read: `{{name}}`, or with what stands there where it has no value, `{{name | "there"}}`.

use endcap_protocol::FieldError;

/// One placeholder of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder<'a> {
    /// Its name; one that is written wrong is as it stands between the braces.
    pub name: &'a str,
    /// What stands there where it has no value.
    pub fallback: Option<&'a str>,
}

impl<'a> Placeholder<'a> {
    /// Reads what stands between the braces.
    fn read(inner: &'a str) -> Self {
        let Some((name, rest)) = inner.split_once('|') else { return Self { name: inner.trim(), fallback: None } };
        let quoted = rest.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        match quoted.filter(|text| !text.is_empty() && !text.contains(['"', '{', '}', '|'])) {
            Some(text) => Self { name: name.trim(), fallback: Some(text) },
            None => Self { name: inner, fallback: None },
        }
    }
}

/// The placeholders of a text. One that is not closed has no name.
pub fn all(text: &str) -> impl Iterator<Item = Placeholder<'_>> {
    let inner = |rest: &str| rest.find("}}").unwrap_or_default();
    text.split("{{").skip(1).map(move |rest| Placeholder::read(rest.get(..inner(rest)).unwrap_or_default()))
}

/// A text with its placeholders replaced. What is no placeholder stays as it is.
pub fn fill(text: &str, mut value: impl FnMut(Placeholder<'_>) -> String) -> String {
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once("}}") {
            Some((inner, rest)) => filled.extend([&value(Placeholder::read(inner)), rest]),
            None => filled.extend(["{{", part]),
        }
    }
    filled
}

/// A text as pages read it: `{{name}}` and `{{name|there}}`, without blanks and quotes.
#[must_use]
pub fn for_pages(text: &str) -> String {
    fill(text, |Placeholder { name, fallback }| {
        fallback.map_or_else(|| format!("{{{{{name}}}}}"), |text| format!("{{{{{name}|{text}}}}}"))
    })
}

/// A text with its placeholders without what stands there otherwise: that is percent-encoded wherever it gets into an address.
#[must_use]
pub fn without_fallbacks(text: &str) -> String {
    fill(text, |Placeholder { name, .. }| format!("{{{{{name}}}}}"))
}

/// Refuses a text with a placeholder that is none of the known ones: a visitor would read it as it stands.
///
/// # Errors
/// The placeholder, with `path` and the known ones.
pub fn check(path: &str, text: &str, known: &[&str]) -> Result<(), FieldError> {
    let Some(unknown) = all(text).map(|one| one.name).find(|name| !known.contains(name)) else { return Ok(()) };
    if known.is_empty() {
        return Err(FieldError::new(path, "holds a placeholder, and nothing is filled in here"));
    }
    let known: Vec<String> = known.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    let unknown: String = unknown.chars().take(40).collect();
    let hint = if unknown.contains('|') { "; what stands there otherwise is written | \"in quotes\"" } else { "" };
    Err(FieldError::new(path, format!("holds {{{{{unknown}}}}}, which is none of {}{hint}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_known_placeholders_only() {
        let known = ["category", "category_id"];
        for good in [
            "",
            "plain",
            "Hi {{category}}!",
            "{{category}}/{{category_id}}",
            "a } b { c",
            "{{ category }}",
            "{{category | \"there\"}}",
            "{{category|\"a bit more\"}}, {{ category_id }}",
        ] {
            assert_eq!(check("title", good, &known), Ok(()), "{good}");
        }
        for (bad, name) in [("{{first_name}}", "first_name"), ("{{category", ""), ("{{}}", ""), ("{{category}", "")] {
            let message = format!("holds {{{{{name}}}}}, which is none of {{{{category}}}}, {{{{category_id}}}}");
            assert_eq!(check("title", bad, &known), Err(FieldError::new("title", message)), "{bad}");
        }
        for bad in
            ["{{category | there}}", "{{category | \"\"}}", "{{category | default: \"x\"}}", "{{category|\"a|b\"}}"]
        {
            assert!(check("title", bad, &known).unwrap_err().message.ends_with("| \"in quotes\""), "{bad}");
        }
    }

    #[test]
    fn a_text_is_filled_and_what_is_no_placeholder_stays() {
        let value = |one: Placeholder<'_>| match one.name {
            "count" => "3".to_owned(),
            _ => one.fallback.unwrap_or("-").to_owned(),
        };
        let text = "{{count}} of {{ count }}: {{product | \"it\"}}, {{product}} } {{ open";
        assert_eq!(fill(text, value), "3 of 3: it, - } {{ open");
        assert_eq!(
            for_pages("All {{ category | \"of it\" }} {{category_id}}"),
            "All {{category|of it}} {{category_id}}"
        );
    }
}
