//! Bodies that configure the shop.

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::response;

/// Largest body of a configuration request, in bytes.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Reads such a body.
pub(super) async fn config_body(incoming: &mut Incoming<'_>) -> Result<Vec<u8>, EdgeError> {
    response::body(&mut incoming.request, MAX_BODY).await
}
