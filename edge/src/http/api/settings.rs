//! `/api/settings`: what the shop set.

use endcap_api::Operation;
use endcap_engine::shop::Settings;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::rpc::shop::{GetSettings, PutSettings};
use crate::rpc::{call, namespace};

/// What answers an operation on the settings.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::PutSettings => put(incoming).await,
        _ => get(incoming).await,
    }
}

/// `GET`: the settings.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetSettings {}).await
}

/// `PUT`: replaces the settings; what is left out has its default.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let settings: Settings = read_json(&config_body(&mut incoming).await?)?;
    settings.check()?;
    Zone::parse(&settings.time_zone)?;
    call::post(&namespace::shop(incoming.env)?, &PutSettings(settings)).await
}
