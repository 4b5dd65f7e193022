//! Checks of single texts.

use endcap_protocol::FieldError;

/// Refuses text outside `1..=max` bytes, or with control characters.
///
/// # Errors
/// When it is none, with `path`.
pub fn check_text(path: &str, text: &str, max: usize) -> Result<(), FieldError> {
    let right = (1..=max).contains(&text.len()) && !text.chars().any(char::is_control);
    let message = || format!("must have 1 to {max} bytes and no control characters");
    if right { Ok(()) } else { Err(FieldError::new(path, message())) }
}

/// An e-mail address trimmed and lower-cased; None when it is none.
#[must_use]
pub fn normalise_email(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.rsplit_once('@')?;
    let plain = !email.chars().any(|c| c.is_whitespace() || c.is_control());
    (!local.is_empty() && domain.contains('.') && plain && email.len() <= 254).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_is_no_address_is_no_email() {
        for text in ["", "a", "@b.c", "a@b", "a b@c.d"] {
            assert_eq!(normalise_email(text), None, "{text}");
        }
    }
}
