//! Placeholders in texts that visitors read: `{{name}}`.

use endcap_protocol::FieldError;

/// The names of a text's placeholders, as they are written between the braces. One that is not closed has none.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split("{{").skip(1).map(|rest| rest.split_once("}}").map_or("", |(name, _)| name))
}

/// Refuses a text with a placeholder that is none of the known ones: a visitor would read it as it stands.
///
/// # Errors
/// The placeholder, with `path` and the known ones.
pub fn check(path: &str, text: &str, known: &[&str]) -> Result<(), FieldError> {
    let Some(unknown) = names(text).find(|name| !known.contains(name)) else { return Ok(()) };
    if known.is_empty() {
        return Err(FieldError::new(path, "holds a placeholder, and nothing is filled in here"));
    }
    let known: Vec<String> = known.iter().map(|name| format!("{{{{{name}}}}}")).collect();
    let unknown: String = unknown.chars().take(40).collect();
    Err(FieldError::new(path, format!("holds {{{{{unknown}}}}}, which is none of {}", known.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_known_placeholders_only() {
        let known = ["category", "category_id"];
        for good in ["", "plain", "Hi {{category}}!", "{{category}}/{{category_id}}", "a } b { c"] {
            assert_eq!(check("title", good, &known), Ok(()), "{good}");
        }
        for (bad, name) in
            [("{{first_name}}", "first_name"), ("{{ category }}", " category "), ("{{category", ""), ("{{}}", "")]
        {
            let message = format!("holds {{{{{name}}}}}, which is none of {{{{category}}}}, {{{{category_id}}}}");
            assert_eq!(check("title", bad, &known), Err(FieldError::new("title", message)), "{bad}");
        }
    }
}
