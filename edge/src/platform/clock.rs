//! The platform's clock and randomness, handed to the domain as values.

use endcap_protocol::UnixMillis;

use super::error::EdgeError;

/// The time. In Workers it stands still while a request computes, and moves on with I/O.
pub(crate) fn now() -> UnixMillis {
    js_sys::Date::now() as UnixMillis
}

/// Bytes from the platform's cryptographic random source.
///
/// # Errors
/// When the platform has none, which no Worker lacks.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], EdgeError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| EdgeError::Random(error.to_string()))?;
    Ok(bytes)
}
