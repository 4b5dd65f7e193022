//! What the shop configured: products, campaigns, settings, webhooks, and the snapshot of all that shards decide with.
//!
//! Role in the flow of one event: parsed when saved; shards hold an immutable, versioned [`Snapshot`] and never ask for
//! anything while they decide.

pub mod campaign;
pub mod product;
pub mod settings;
pub mod snapshot;
pub mod webhooks;

pub use campaign::Campaign;
pub use product::Product;
pub use settings::Settings;
pub use snapshot::Snapshot;

use endcap_protocol::FieldError;
use serde::de::DeserializeOwned;

/// Reads JSON of a known shape; errors carry the field's path.
///
/// # Errors
/// When the text is no JSON, or a member is missing or of the wrong type.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, crate::EngineError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(crate::EngineError::of_json)?;
    json.end().map_err(|error| crate::EngineError::Json(error.to_string()))?;
    Ok(value)
}

/// Refuses text outside `1..=max` bytes, or with control characters.
pub(crate) fn check_text(path: &str, text: &str, max: usize) -> Result<(), FieldError> {
    let right = (1..=max).contains(&text.len()) && !text.chars().any(char::is_control);
    let message = || format!("must have 1 to {max} bytes and no control characters");
    if right { Ok(()) } else { Err(FieldError::new(path, message())) }
}

/// Refuses what is neither an http(s) URL nor a path on the shop's own host.
pub(crate) fn check_url(path: &str, url: &str) -> Result<(), FieldError> {
    let own_path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    let absolute = url.starts_with("https://") || url.starts_with("http://");
    let plain = url.len() <= 2048 && !url.chars().any(|c| c.is_control() || c.is_whitespace());
    if plain && (own_path || absolute) {
        Ok(())
    } else {
        Err(FieldError::new(path, "must be an http(s) URL or a path that starts with /"))
    }
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
}
