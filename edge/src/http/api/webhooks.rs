//! `/api/webhooks`: webhook sources and their mappings.

use endcap_api::Operation;
use endcap_engine::shop::webhooks::SavedWebhook;
use endcap_protocol::SourceId;
use endcap_validation::path::segment;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::shop::{DeleteWebhook, GetWebhook, GetWebhooks, PutWebhook};
use crate::rpc::{call, namespace};

/// What answers an operation on webhook sources.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::GetWebhook => get(incoming).await,
        Operation::PutWebhook => put(incoming).await,
        Operation::DeleteWebhook => delete(incoming).await,
        _ => list(incoming).await,
    }
}

/// `GET /api/webhooks`: all of them.
async fn list(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetWebhooks {}).await
}

/// `GET`: one.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let source = source(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &GetWebhook { source }).await
}

/// `PUT`: adds one, or replaces its mapping.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let saved = SavedWebhook::read(source(incoming.parameter)?, &body)?;
    call::post(&namespace::shop(incoming.env)?, &PutWebhook(saved)).await
}

/// `DELETE`.
async fn delete(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let source = source(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &DeleteWebhook { source }).await
}

fn source(parameter: &str) -> Result<SourceId, EdgeError> {
    Ok(SourceId::parse(&segment(parameter, "source")?)?)
}
