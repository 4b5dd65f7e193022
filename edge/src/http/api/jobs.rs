//! `/api/jobs`: jobs of the outbox that failed too often, over all shards.

use endcap_api::Operation;
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

/// What answers an operation on jobs.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::RetryJobs => retry(incoming).await,
        _ => parked(incoming).await,
    }
}

/// `GET /api/jobs/parked`.
async fn parked(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let parts = call::ask_each(&shards::all_shards(incoming.env).await?, &ParkedJobsAsk {}).await?;
    response::json(&parts.into_iter().fold(ParkedJobs::default(), ParkedJobs::with))
}

/// `POST /api/jobs/retry`.
async fn retry(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let ask: RetryAsk = read_json(&response::body(&mut incoming.request, MAX_BODY).await?)?;
    ask.check()?;
    let replies = call::ask_each(&shards::all_shards(incoming.env).await?, &ask).await?;
    response::json(&RetryReply { retried: replies.iter().map(|reply| reply.retried).sum() })
}
