//! The segment that a request names.

use endcap_engine::segment::SavedSegment;
use endcap_protocol::SegmentId;
use endcap_validation::DomainError;
use endcap_validation::path::segment;
use worker::Env;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::segments::{GetSegments, SavedSegments};
use crate::rpc::{call, namespace};

/// The shop's segments.
pub(in crate::http) async fn saved(env: &Env) -> Result<SavedSegments, EdgeError> {
    call::ask(&namespace::shop(env)?, &GetSegments {}).await
}

/// The segment that a path names.
pub(super) async fn one(incoming: &Incoming<'_>) -> Result<SavedSegment, EdgeError> {
    let id = id(incoming.parameter)?;
    let found = saved(incoming.env).await?.segments.into_iter().find(|segment| segment.id == id);
    Ok(found.ok_or(DomainError::NotFound("segment"))?)
}

/// Reads a segment's ID out of a path.
pub(super) fn id(parameter: &str) -> Result<SegmentId, EdgeError> {
    Ok(SegmentId::parse(&segment(parameter, "segment_id")?)?)
}
