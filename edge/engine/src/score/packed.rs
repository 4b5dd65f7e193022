//! Values with a version before them, as this capability stores and sends them.

use endcap_validation::DomainError;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value behind its version.
///
/// # Errors
/// Never in practice; the serialiser's own failure is passed on.
pub(super) fn pack<T: Serialize + ?Sized>(format: u8, value: &T) -> Result<Vec<u8>, DomainError> {
    postcard::to_extend(value, vec![format]).map_err(|error| DomainError::Internal(error.to_string()))
}

/// Reads a packed value. None for another version, and for what is damaged.
pub(super) fn unpack<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Option<T> {
    let (found, rest) = bytes.split_first()?;
    (*found == format).then(|| postcard::from_bytes(rest).ok()).flatten()
}
