//! Jobs that failed too often: listing them, and having them tried again.

use endcap_engine::parked_jobs::{ParkedJobs, RetryAsk, RetryReply};
use serde::{Deserialize, Serialize};

use super::message::Message;

/// Asks a shard for its parked jobs.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ParkedJobsAsk {}

impl Message for ParkedJobsAsk {
    const PATH: &'static str = "/outbox/parked";
    type Reply = ParkedJobs;
}

impl Message for RetryAsk {
    const PATH: &'static str = "/outbox/retry";
    type Reply = RetryReply;
}
