//! `/api/jobs`: jobs of the outbox that failed too often, over all shards.

use endcap_engine::parked_jobs::{ParkedJobs, RetryAsk, RetryReply};
use endcap_validation::read_json;
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::response;
use crate::rpc::parked_jobs::ParkedJobsAsk;
use crate::rpc::{call, shards};

/// Largest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// `GET /api/jobs/parked`.
pub(in crate::http) async fn parked(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let parts = call::ask_each(&shards::all_shards(incoming.env).await?, &ParkedJobsAsk {}).await?;
    response::json(&parts.into_iter().fold(ParkedJobs::default(), ParkedJobs::with))
}

/// `POST /api/jobs/retry`.
pub(in crate::http) async fn retry(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: RetryAsk = read_json(&response::body(&mut incoming.request, MAX_BODY).await?)?;
    ask.check()?;
    let replies = call::ask_each(&shards::all_shards(incoming.env).await?, &ask).await?;
    response::json(&RetryReply { retried: replies.iter().map(|reply| reply.retried).sum() })
}
