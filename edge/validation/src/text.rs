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

/// Refuses what is neither an http(s) URL nor a path on the shop's own host.
///
/// # Errors
/// When it is none, with `path`.
pub fn check_url(path: &str, url: &str) -> Result<(), FieldError> {
    let own_path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    let absolute = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.len() <= 2048 && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain && (own_path || absolute) {
        Ok(())
    } else {
        Err(FieldError::new(path, "must be an http(s) URL or a path that starts with /"))
    }
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
    fn only_web_addresses_and_own_paths_are_urls() {
        for good in ["/", "/p/1?x=y", "https://shop.example/p", "http://127.0.0.1:1/p"] {
            assert!(check_url("u", good).is_ok(), "{good}");
        }
        for bad in ["", "javascript:alert(1)", "//evil.example", "/\\evil.example", "p/1", "data:x", "/a b", "/a\n"] {
            assert!(check_url("u", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_that_is_no_address_is_no_email() {
        for text in ["", "a", "@b.c", "a@b", "a b@c.d"] {
            assert_eq!(normalise_email(text), None, "{text}");
        }
    }
}
