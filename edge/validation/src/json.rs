//! Reading JSON of a known shape.

use serde::de::DeserializeOwned;

use super::error::DomainError;

/// Reads JSON of a known shape; errors carry the field's path.
///
/// # Errors
/// When the text is no JSON, or a member is missing or of the wrong type.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, DomainError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(DomainError::of_json)?;
    json.end().map_err(|error| DomainError::Json(error.to_string()))?;
    Ok(value)
}

/// Whether a member says nothing, so that JSON can leave it out (`skip_serializing_if`).
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
