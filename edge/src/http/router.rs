//! The worker's entry: finds a request's route in the table and hands it to what answers it.
//!
//! Role in the flow of one event: the first of ours that sees it. A batch is handed on unread; everything that costs CPU
//! happens once, in the profile's shard. [`answer`] matches the table of routes exhaustively, so a route without a handler
//! does not compile.

use endcap_api::{Found, NoRoute, Operation as Op, Role, Side, find};
use endcap_events::vendor::CallType;
use endcap_validation::DomainError;
use worker::{Context, Env, Method, Request, Response};

use super::incoming::Incoming;
use super::{
    api, assets, campaign_part, cross_domain, dev, diagnosis, pixel, preflight, rate_limits, redirect, to_shard,
    vendor, webhooks,
};
use crate::platform::config::config;
use crate::platform::error::EdgeError;
use crate::platform::{cors, response};
use crate::rpc::placement;
use crate::rpc::placement::Use;

/// Answers a request.
pub(crate) async fn handle(request: Request, env: Env, context: Context) -> worker::Result<Response> {
    let config = config(&env);
    let path = request.path();
    let origin = request.headers().get("origin")?;
    // Pixels and redirects have a bound of their own; the API has its key.
    let bounded = request.method() == Method::Post && !path.starts_with("/api/");
    if let Some(Err(error)) = bounded.then(|| rate_limits::admit(request.inner(), &config)) {
        return cors::answer_or_error(Err(error), origin.as_deref());
    }
    if let Err(error) = response::check_known_method(&request) {
        return response::error(&error);
    }
    let below = path.strip_prefix(config.prefix.as_str()).filter(|rest| rest.starts_with('/'));
    let (side, rest) = below.map_or((Side::Server, path.as_str()), |rest| (Side::BelowPrefix, rest));
    let base = if side == Side::BelowPrefix { config.prefix.as_str() } else { "" };
    let incoming = Incoming { request, env: &env, config: &config, context: &context, parameter: "", base };
    cors::answer_or_error(route(side, rest, incoming, origin.as_deref()).await, origin.as_deref())
}

/// Finds what is asked for, lets in who may ask it, and answers.
async fn route(side: Side, path: &str, incoming: Incoming<'_>, origin: Option<&str>) -> Result<Response, EdgeError> {
    if side == Side::BelowPrefix
        && let Some(rest) = path.strip_prefix("/dev/")
    {
        return dev::handle(rest, incoming).await;
    }
    let found = find(side, incoming.request.method().as_ref(), path);
    let role = match &found {
        Ok(found) => Some(found.operation.route().role),
        // All operations of one path have the same role.
        Err(NoRoute::Method(operations)) => operations.first().map(|operation| operation.route().role),
        Err(NoRoute::Path) => None,
    };
    let answered = match found {
        Ok(Found { operation, parameter }) => {
            if role == Some(Role::Operator) {
                api::admit(&incoming).await?;
            }
            answer(operation, Incoming { parameter, ..incoming }).await
        }
        Err(none) => otherwise(&none, role, path, incoming).await,
    };
    if role == Some(Role::WriteKey) { vendor::readable(answered, origin) } else { answered }
}

/// What answers an operation.
async fn answer(operation: Op, incoming: Incoming<'_>) -> Result<Response, EdgeError> {
    match operation {
        Op::Health => health(&incoming).await,
        Op::Describe => response::raw_json(&assets::text(incoming.env, "/openapi.json").await?, 200),
        Op::GetProfile => api::profiles::get_named(incoming).await,
        Op::EraseNamedProfile => api::people::erase_named(incoming).await,
        Op::GetProfileById => api::people::get(incoming).await,
        Op::EraseProfile => api::people::erase(incoming).await,
        Op::GetProfileEvents => api::person_export::events(incoming).await,
        Op::GetProfileGraph => api::person_export::graph(incoming).await,
        Op::ExportProfile => api::person_export::export(incoming).await,
        Op::Unmerge | Op::RestoreLinks | Op::ApproveLinks | Op::ListConflicts => {
            api::identity::answer(operation, incoming).await
        }
        Op::GetProducts | Op::PutProducts | Op::DeleteProduct => api::products::answer(operation, incoming).await,
        Op::GetSettings | Op::PutSettings => api::settings::answer(operation, incoming).await,
        Op::GetCampaigns | Op::GetCampaign | Op::PutCampaign | Op::DeleteCampaign => {
            api::campaigns::answer(operation, incoming).await
        }
        Op::ConvertCondition | Op::ExplainCondition => api::conditions::answer(operation, incoming).await,
        Op::GetSegments | Op::GetSegment | Op::PutSegment | Op::DeleteSegment => {
            api::segments::answer(operation, incoming).await
        }
        Op::GetSegmentMembers | Op::GetSegmentHistory | Op::ExportSegment | Op::PreviewSegment | Op::ChangeList => {
            api::segments::answer(operation, incoming).await
        }
        Op::GetShards | Op::PutShards => api::shards::answer(operation, incoming).await,
        Op::GetHealth => api::health::get(incoming).await,
        Op::GetTimers => api::timers::get(incoming).await,
        Op::GetScores | Op::FitScores => api::scores::answer(operation, incoming).await,
        Op::GetModels | Op::GetModel | Op::GetModelTransitions | Op::GetModelRevenue | Op::GetModelPeople => {
            api::customer_models::answer(operation, incoming).await
        }
        Op::GetParkedJobs | Op::RetryJobs => api::jobs::answer(operation, incoming).await,
        Op::MakeLinks => api::links::post(incoming).await,
        Op::GetWebhooks | Op::GetWebhook | Op::PutWebhook | Op::DeleteWebhook => {
            api::webhooks::answer(operation, incoming).await
        }
        Op::ListRefused | Op::CountRefused | Op::ReplayRefused | Op::GetRefused => {
            api::quarantine::answer(operation, incoming).await
        }
        Op::SendWebhook => webhooks::receive(incoming).await,
        Op::SendBatch | Op::Subscribe => to_shard::by_route(incoming).await,
        Op::ReportNotification => to_shard::by_notification(incoming).await,
        Op::Diagnose => diagnosis::serve(&incoming),
        Op::GetCampaignPart => campaign_part::serve(&incoming).await,
        Op::Pixel => pixel::serve(&incoming).await,
        Op::FollowLink => redirect::serve(&incoming),
        Op::CrossDomain => cross_domain::serve(&incoming).await,
        Op::Track | Op::TrackShort => vendor::take(Some(CallType::Track), incoming).await,
        Op::Identify | Op::IdentifyShort => vendor::take(Some(CallType::Identify), incoming).await,
        Op::Page | Op::PageShort => vendor::take(Some(CallType::Page), incoming).await,
        Op::Screen | Op::ScreenShort => vendor::take(Some(CallType::Screen), incoming).await,
        Op::Group | Op::GroupShort => vendor::take(Some(CallType::Group), incoming).await,
        Op::Alias | Op::AliasShort => vendor::take(Some(CallType::Alias), incoming).await,
        Op::SendCalls | Op::SendCallsShort | Op::ImportCalls | Op::SendBeacon => vendor::take(None, incoming).await,
        Op::SendMetrics => vendor::metrics(),
        Op::GetClientSettings | Op::GetSourceConfig => vendor::client(operation, &incoming),
    }
}

/// The answer where no route takes the request: to a preflight, a file, or an error that says what is wrong.
async fn otherwise(
    none: &NoRoute,
    role: Option<Role>,
    path: &str,
    incoming: Incoming<'_>,
) -> Result<Response, EdgeError> {
    if incoming.request.method() == Method::Options
        && let Some(answer) = role.and_then(|role| preflight::answer(role, &incoming))
    {
        return answer;
    }
    match none {
        NoRoute::Method(_) => {
            if role == Some(Role::Operator) {
                api::admit(&incoming).await?;
            }
            Err(DomainError::Method(none.methods()).into())
        }
        NoRoute::Path if incoming.base.is_empty() && (path == "/api" || path.starts_with("/api/")) => {
            api::admit(&incoming).await?;
            Err(DomainError::NotFound("route").into())
        }
        NoRoute::Path => assets::serve(incoming.request, incoming.env).await,
    }
}

/// `/healthz`.
async fn health(incoming: &Incoming<'_>) -> Result<Response, EdgeError> {
    placement::check(incoming.env, Use::Read).await?;
    response::raw_json("{\"status\":\"ok\"}", 200)
}
