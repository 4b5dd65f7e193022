//! `/api/campaigns`: what is shown to whom.

use endcap_engine::shop::Campaign;
use endcap_engine::shop::campaign::Definition;
use endcap_protocol::CampaignId;
use endcap_validation::path::segment;
use endcap_validation::read_json;
use worker::Response;

use super::config_body::config_body;
use crate::http::incoming::Incoming;
use crate::platform::error::EdgeError;
use crate::rpc::shop::{DeleteCampaign, GetCampaign, GetCampaigns, PutCampaign};
use crate::rpc::{call, namespace};

/// `GET /api/campaigns`: all of them.
pub(in crate::http) async fn list(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetCampaigns {}).await
}

/// `GET`: one.
pub(in crate::http) async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = id(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &GetCampaign { id }).await
}

/// `PUT`: adds one, or replaces it.
pub(in crate::http) async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let id = id(incoming.parameter)?;
    let definition = read_json::<Definition>(&body)?.with_json_condition()?;
    // Checked as what it will be.
    Campaign::new(id.clone(), 1, definition.clone())?.check_bounds()?;
    call::post(&namespace::shop(incoming.env)?, &PutCampaign { id, definition }).await
}

/// `DELETE`.
pub(in crate::http) async fn delete(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = id(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &DeleteCampaign { id }).await
}

fn id(parameter: &str) -> Result<CampaignId, EdgeError> {
    Ok(CampaignId::parse(&segment(parameter, "campaign_id")?)?)
}
