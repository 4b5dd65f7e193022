//! `/api/shards`: over how many shards profiles are spread.

use endcap_api::Operation;
use endcap_engine::layout::placement::ShardsAsk;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::shop::{GetShards, PutShards};
use crate::rpc::{call, namespace};

/// What answers an operation on shards.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::PutShards => put(incoming).await,
        _ => get(incoming).await,
    }
}

/// `GET`: how far a change has come.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::registry(incoming.env)?, &GetShards {}).await
}

/// `PUT`: another number.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let wanted = read_json::<ShardsAsk>(&body)?.check()?;
    call::post(&namespace::registry(incoming.env)?, &PutShards(wanted)).await
}
