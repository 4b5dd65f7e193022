//! Rows of a table on their way to another shard: a format byte, and the rows (postcard).

use endcap_validation::DomainError;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::platform::error::EdgeError;

/// The present form of every table's rows.
const FORMAT: u8 = 1;

/// Packs rows.
pub(super) fn pack<T: Serialize>(rows: &[T]) -> Result<Vec<u8>, EdgeError> {
    Ok(postcard::to_extend(rows, vec![FORMAT]).map_err(|error| DomainError::Internal(error.to_string()))?)
}

/// Reads packed rows.
pub(super) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, EdgeError> {
    let unreadable = |format| DomainError::Format { what: "moving rows", format };
    match bytes.split_first() {
        Some((&FORMAT, rest)) => Ok(postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT))?),
        other => Err(unreadable(other.map_or(0, |(format, _)| *format)).into()),
    }
}
