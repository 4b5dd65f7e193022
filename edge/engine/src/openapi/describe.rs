//! What each operation is described by.

use endcap_api::Operation as Op;
use serde_json::{Value, json};

use super::builder::{Builder, plain};
use super::{
    browser, conditions, configuration, customer_models, identity, outside, people, push, quarantine, segments, vendor,
};

/// The description of an operation.
pub(super) fn describe(doc: &mut Builder, operation: Op) -> Value {
    match operation {
        Op::Health | Op::Describe => simple(operation),
        Op::GetProfile => people::get_named(doc),
        Op::EraseNamedProfile => people::erase_named(doc),
        Op::GetProfileById => people::get(doc),
        Op::EraseProfile => people::erase(doc),
        Op::GetProfileEvents => people::events(doc),
        Op::GetProfileGraph => people::graph(doc),
        Op::ExportProfile => people::export(doc),
        Op::Unmerge | Op::RestoreLinks | Op::ApproveLinks | Op::ListConflicts => identity::describe(doc, operation),
        Op::GetProducts
        | Op::PutProducts
        | Op::DeleteProduct
        | Op::GetSettings
        | Op::PutSettings
        | Op::GetCampaigns
        | Op::GetCampaign
        | Op::PutCampaign
        | Op::DeleteCampaign
        | Op::GetShards
        | Op::PutShards
        | Op::GetHealth
        | Op::GetTimers
        | Op::GetScores
        | Op::FitScores
        | Op::GetParkedJobs
        | Op::RetryJobs
        | Op::GetWebhooks
        | Op::GetWebhook
        | Op::PutWebhook
        | Op::DeleteWebhook => configuration::describe(doc, operation),
        Op::ConvertCondition | Op::ExplainCondition => conditions::describe(doc, operation),
        Op::ListRefused | Op::CountRefused | Op::ReplayRefused | Op::GetRefused => quarantine::describe(doc, operation),
        Op::SendBatch | Op::Diagnose | Op::GetCampaignPart => browser::describe(doc, operation),
        Op::Subscribe | Op::ReportNotification => push::describe(doc, operation),
        Op::MakeLinks | Op::SendWebhook | Op::Pixel | Op::FollowLink | Op::CrossDomain => {
            outside::describe(doc, operation)
        }
        Op::GetSegments | Op::GetSegment | Op::PutSegment | Op::DeleteSegment => segments::describe(doc, operation),
        Op::GetSegmentMembers | Op::GetSegmentHistory | Op::ExportSegment | Op::PreviewSegment | Op::ChangeList => {
            segments::describe(doc, operation)
        }
        Op::GetModels | Op::GetModel | Op::GetModelTransitions => customer_models::describe(doc, operation),
        Op::GetModelRevenue | Op::GetModelPeople => customer_models::describe(doc, operation),
        Op::Track | Op::Identify | Op::Page | Op::Screen | Op::Group | Op::Alias => vendor::describe(doc, operation),
        Op::TrackShort | Op::IdentifyShort | Op::PageShort | Op::ScreenShort => vendor::describe(doc, operation),
        Op::GroupShort | Op::AliasShort | Op::SendCalls | Op::SendCallsShort => vendor::describe(doc, operation),
        Op::ImportCalls | Op::SendBeacon | Op::SendMetrics => vendor::describe(doc, operation),
        Op::GetClientSettings | Op::GetSourceConfig => vendor::describe(doc, operation),
    }
}

/// What anybody may ask without more.
fn simple(operation: Op) -> Value {
    let (summary, answer) = match operation {
        Op::Describe => ("This document", "The document."),
        _ => ("Whether the worker runs", "It runs."),
    };
    json!({"operationId": operation.route().id, "summary": summary, "responses": {"200": plain(answer)}})
}

/// The members of a path that all its operations share: its parameter, where it has one.
pub(super) fn path_parameters(path: &str) -> Value {
    let parameter = |name: &str, description: &str, longest: u32| {
        json!({"parameters": [{"name": name, "in": "path", "required": true, "description": description,
            "schema": {"type": "string", "minLength": 1, "maxLength": longest}}]})
    };
    match path {
        _ if path.starts_with("/api/profiles/{") => {
            parameter("id", "Profile ID; one that became part of another stands for that one", 100)
        }
        "/ec/c/{file}" => parameter("file", "Name of the file, as a decision has it", 64),
        _ if path.starts_with("/api/segments/{") => parameter("id", "Segment ID", 64),
        _ if path.starts_with("/api/models/{") => parameter("model", "The model: nasld, rfm, napl or nes", 20),
        "/api/campaigns/{id*}" => parameter("id", "Campaign ID", 64),
        "/api/products/{id*}" => parameter("id", "Product ID", 128),
        "/api/quarantine/{id*}" => parameter("id", "Name of the refused event", 40),
        "/api/webhooks/{source*}" | "/v1/webhooks/{source*}" => parameter("source", "Webhook source", 64),
        "/v1/projects/{key}/settings" => parameter("key", "Write key", 64),
        _ => json!({}),
    }
}
