//! `/api/scores`: which models are fitted, from when, and whether they are worth hearing.

use worker::Response;

use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::scores::{FitScores, GetScores};
use crate::rpc::{call, namespace};

/// `GET`.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::models(incoming.env)?, &GetScores {}).await
}

/// `POST /api/scores/fit`: has them fitted at once.
pub(in crate::http) async fn fit(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::models(incoming.env)?, &FitScores { at_once: true }).await
}
