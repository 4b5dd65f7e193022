//! `GET {prefix}/c/{file}`: the part of a campaign that had no room in a decision. The name is a digest of the content, so the
//! content never changes and browsers keep it.

use endcap_validation::DomainError;
use worker::{Response, ResponseBuilder};

use super::incoming::Incoming;
use crate::platform::clock;
use crate::platform::error::EdgeError;
use crate::rpc::snapshots;

/// The file that a request names. One of a campaign that was saved only just now may not be known here yet, so the shop is asked
/// once more before it counts as none.
pub(super) async fn serve(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    let now = clock::now();
    let held = snapshots::current(incoming.env, now).await?;
    let found = held.campaign_file(incoming.parameter).map(str::to_owned);
    let text = match found {
        Some(text) => text,
        None => {
            let newer = snapshots::newer(incoming.env, now).await?;
            newer.campaign_file(incoming.parameter).ok_or(DomainError::NotFound("campaign file"))?.to_owned()
        }
    };
    let builder = ResponseBuilder::new()
        .with_header("content-type", "application/json")?
        .with_header("cache-control", "public, max-age=31536000, immutable")?
        .with_header("x-content-type-options", "nosniff")?
        // It is the same for everybody, and says nothing of anybody.
        .with_header("access-control-allow-origin", "*")?
        .with_header("cross-origin-resource-policy", "cross-origin")?;
    Ok(builder.fixed(text.into_bytes()))
}
