//! `/api/scores`: which models are fitted, from when, and whether they are worth hearing.

use endcap_api::Operation;
use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::scores::{FitScores, GetScores};
use crate::rpc::{call, namespace};

/// `GET`, and `POST /api/scores/fit`, which has them fitted at once.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let models = namespace::models(incoming.env)?;
    match operation {
        Operation::FitScores => call::post(&models, &FitScores { at_once: true }).await,
        _ => call::post(&models, &GetScores { for_health: false }).await,
    }
}
