//! The stored form of a profile's row, and of every version before.

use endcap_validation::EngineError;

use super::legacy_formats;
use super::row::ProfileRow;

/// Version of the format that this code writes.
pub const FORMAT: u8 = 3;

impl ProfileRow {
    /// The stored form.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn pack(&self) -> Result<Vec<u8>, EngineError> {
        postcard::to_extend(self, vec![FORMAT]).map_err(|error| EngineError::Internal(error.to_string()))
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// When the row was written by a newer version, or is damaged.
    pub fn unpack(bytes: &[u8]) -> Result<Self, EngineError> {
        let unreadable = |format| EngineError::Format { what: "profile", format };
        match bytes.split_first() {
            Some((&FORMAT, rest)) => postcard::from_bytes(rest).map_err(|_| unreadable(FORMAT)),
            Some((2, rest)) => {
                let row: legacy_formats::Row<legacy_formats::PieceWithConsents> =
                    postcard::from_bytes(rest).map_err(|_| unreadable(2))?;
                Ok(row.into())
            }
            Some((1, rest)) => {
                let row: legacy_formats::Row<legacy_formats::Piece> =
                    postcard::from_bytes(rest).map_err(|_| unreadable(1))?;
                Ok(row.into())
            }
            other => Err(unreadable(other.map_or(0, |(format, _)| *format))),
        }
    }
}
