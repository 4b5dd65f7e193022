//! Messages between routes and objects.

use endcap_validation::DomainError;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::platform::error::EdgeError;

/// Something that an object is told or asked, as JSON. Sender and receiver read path and types off here.
pub(crate) trait Message: Serialize {
    /// Where the object takes it. Crosses versions during a gradual deployment, so it stays as it is.
    const PATH: &'static str;
    /// What the object answers with status 200.
    type Reply: DeserializeOwned;
}

/// The answer of an object that has nothing to say but that it is done.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {}

/// Reads a message as an object got it. All are parsed from text, so that the worker holds shared code only once.
pub(crate) fn read<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, EdgeError> {
    let text = std::str::from_utf8(body).map_err(|error| DomainError::Internal(error.to_string()))?;
    Ok(serde_json::from_str(text)?)
}
