//! `/api/shards`: over how many shards profiles are spread.

use endcap_engine::layout::placement::ShardsAsk;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::shop::{GetShards, PutShards};
use crate::rpc::{call, namespace};

/// `GET`: how far a change has come.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::registry(incoming.env)?, &GetShards {}).await
}

/// `PUT`: another number.
pub(in crate::http) async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let wanted = read_json::<ShardsAsk>(&body)?.check()?;
    call::post(&namespace::registry(incoming.env)?, &PutShards(wanted)).await
}
