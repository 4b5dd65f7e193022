//! `/api/campaigns`: what is shown to whom.

use endcap_api::Operation;
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

/// What answers an operation on campaigns.
pub(in crate::http) async fn answer(operation: Operation, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Operation::GetCampaign => get(incoming).await,
        Operation::PutCampaign => put(incoming).await,
        Operation::DeleteCampaign => delete(incoming).await,
        _ => list(incoming).await,
    }
}

/// `GET /api/campaigns`: all of them.
async fn list(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    call::post(&namespace::shop(incoming.env)?, &GetCampaigns {}).await
}

/// `GET`: one.
async fn get(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = id(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &GetCampaign { id }).await
}

/// `PUT`: adds one, or replaces it.
async fn put(mut incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let body = config_body(&mut incoming).await?;
    let id = id(incoming.parameter)?;
    let definition = read_json::<Definition>(&body)?.with_json_condition()?;
    // Checked as what it will be.
    Campaign::new(id.clone(), 1, definition.clone())?.check_bounds()?;
    call::post(&namespace::shop(incoming.env)?, &PutCampaign { id, definition }).await
}

/// `DELETE`.
async fn delete(incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    let id = id(incoming.parameter)?;
    call::post(&namespace::shop(incoming.env)?, &DeleteCampaign { id }).await
}

fn id(parameter: &str) -> Result<CampaignId, EdgeError> {
    Ok(CampaignId::parse(&segment(parameter, "campaign_id")?)?)
}
