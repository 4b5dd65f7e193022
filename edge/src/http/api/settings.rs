//! `/api/settings`: what the shop set.

use endcap_engine::shop::Settings;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::platform::zone::Zone;
use crate::rpc::shop::{GetSettings, PutSettings};
use crate::rpc::{call, namespace};

/// `GET`: the settings.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetSettings {}).await
}

/// `PUT`: replaces the settings; what is left out has its default.
pub(in crate::http) async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let settings: Settings = read_json(&config_body(&mut incoming).await?)?;
    settings.check()?;
    Zone::parse(&settings.time_zone)?;
    call::post(&namespace::shop(incoming.env)?, &PutSettings(settings)).await
}
