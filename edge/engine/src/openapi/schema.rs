//! The schema of each body.

use endcap_api::Payload;
use endcap_events::ingest::quarantine::{Counts, Listed, Page, ReplayAsk, ReplayReply};
use endcap_events::link::request::{Links, LinksRequest};
use endcap_events::webhook::mapping::Definition as MappingDefinition;
use endcap_identity::admin_review::{Conflicts, LinksAsk, LinksReply};
use endcap_push::{PushBody, PushReply, ReportBody};
use schemars::Schema;
use schemars::generate::SchemaGenerator;
use serde_json::{Value, json};

use super::answers::{CampaignView, Campaigns, Diagnosis, Erased, Saved, Taken};
use super::hand_written;
use crate::batch_reply::BatchReply;
use crate::condition_explained::{ExplainAsk, Explained};
use crate::condition_forms::{ConditionAsk, ConditionForms};
use crate::customer_model::view::{GroupPeople, GroupRevenue, ModelList, ModelSizes, Transitions};
use crate::health::Health;
use crate::layout::growth::ShardsStatus;
use crate::layout::placement::ShardsAsk;
use crate::parked_jobs::{ParkedJobs, RetryAsk, RetryReply};
use crate::person_export::{EventPage, Export, PersonGraph};
use crate::profile_view::ProfileView;
use crate::score::view::ScoresView;
use crate::segment::definition::Definition as SegmentDefinition;
use crate::segment::history::History as SegmentHistory;
use crate::segment::list_change::{ListAsk, ListChanged};
use crate::segment::members::MemberPage;
use crate::segment::preview::{PreviewAsk, PreviewLine};
use crate::segment::view::{SegmentList, SegmentView};
use crate::shop::Settings;
use crate::shop::campaign::{CampaignPart, Definition};
use crate::shop::product::Products;
use crate::shop::webhooks::{WebhookView, Webhooks};
use crate::timers_view::TimersView;

/// The schema of a body; None where there is none, or it is no JSON.
pub(super) fn schema_of(generator: &mut SchemaGenerator, payload: Payload) -> Option<Value> {
    let schema = match payload {
        Payload::Nothing | Payload::Image | Payload::Redirect | Payload::SegmentExport => return None,
        Payload::AnyJson => return Some(json!({"type": "object"})),
        Payload::Metrics | Payload::Delivery => return Some(json!({})),
        Payload::Batch => return Some(hand_written::batch()),
        Payload::Call => return Some(hand_written::call()),
        Payload::Calls => return Some(hand_written::calls()),
        Payload::BatchReply => generator.subschema_for::<BatchReply>(),
        Payload::Diagnosis => generator.subschema_for::<Diagnosis>(),
        Payload::CampaignPart => generator.subschema_for::<CampaignPart>(),
        Payload::PushBody => generator.subschema_for::<PushBody>(),
        Payload::PushReply => generator.subschema_for::<PushReply>(),
        Payload::ReportBody => generator.subschema_for::<ReportBody>(),
        Payload::Taken => generator.subschema_for::<Taken>(),
        Payload::Profile => generator.subschema_for::<ProfileView>(),
        Payload::Erased => generator.subschema_for::<Erased>(),
        Payload::EventPage => generator.subschema_for::<EventPage>(),
        Payload::PersonGraph => generator.subschema_for::<PersonGraph>(),
        Payload::PersonExport => generator.subschema_for::<Export>(),
        Payload::LinksAsk => generator.subschema_for::<LinksAsk>(),
        Payload::LinksReply => generator.subschema_for::<LinksReply>(),
        Payload::Conflicts => generator.subschema_for::<Conflicts>(),
        Payload::Products => generator.subschema_for::<Products>(),
        Payload::Saved => generator.subschema_for::<Saved>(),
        Payload::Settings => generator.subschema_for::<Settings>(),
        Payload::Campaigns => generator.subschema_for::<Campaigns>(),
        Payload::Campaign => generator.subschema_for::<CampaignView>(),
        Payload::CampaignDefinition => generator.subschema_for::<Definition>(),
        Payload::Shards => generator.subschema_for::<ShardsStatus>(),
        Payload::ShardsAsk => generator.subschema_for::<ShardsAsk>(),
        Payload::MessageLinksAsk => generator.subschema_for::<LinksRequest>(),
        Payload::MessageLinks => generator.subschema_for::<Links>(),
        Payload::Webhooks => generator.subschema_for::<Webhooks>(),
        Payload::Webhook => generator.subschema_for::<WebhookView>(),
        Payload::MappingDefinition => generator.subschema_for::<MappingDefinition>(),
        Payload::RefusedPage => generator.subschema_for::<Page>(),
        Payload::Refused => generator.subschema_for::<Listed>(),
        Payload::RefusedCounts => generator.subschema_for::<Counts>(),
        Payload::ReplayAsk => generator.subschema_for::<ReplayAsk>(),
        Payload::ReplayReply => generator.subschema_for::<ReplayReply>(),
        Payload::DeploymentHealth => generator.subschema_for::<Health>(),
        Payload::ParkedJobs => generator.subschema_for::<ParkedJobs>(),
        Payload::RetryAsk => generator.subschema_for::<RetryAsk>(),
        Payload::RetryReply => generator.subschema_for::<RetryReply>(),
        Payload::ConditionAsk => generator.subschema_for::<ConditionAsk>(),
        Payload::ConditionForms => generator.subschema_for::<ConditionForms>(),
        Payload::ExplainAsk => generator.subschema_for::<ExplainAsk>(),
        Payload::Explained => generator.subschema_for::<Explained>(),
        Payload::Segments | Payload::Segment | Payload::SegmentDefinition => of_segments(generator, payload),
        Payload::SegmentMembers | Payload::SegmentHistory => of_segments(generator, payload),
        Payload::ListAsk | Payload::ListChanged => of_segments(generator, payload),
        Payload::PreviewAsk | Payload::PreviewLines => of_segments(generator, payload),
        Payload::Scores => generator.subschema_for::<ScoresView>(),
        Payload::Models | Payload::ModelSizes | Payload::ModelTransitions => of_models(generator, payload),
        Payload::ModelRevenue | Payload::ModelPeople => of_models(generator, payload),
        Payload::Timers => generator.subschema_for::<TimersView>(),
    };
    Some(schema.into())
}

fn of_models(generator: &mut SchemaGenerator, payload: Payload) -> Schema {
    match payload {
        Payload::ModelSizes => generator.subschema_for::<ModelSizes>(),
        Payload::ModelTransitions => generator.subschema_for::<Transitions>(),
        Payload::ModelRevenue => generator.subschema_for::<GroupRevenue>(),
        Payload::ModelPeople => generator.subschema_for::<GroupPeople>(),
        _ => generator.subschema_for::<ModelList>(),
    }
}

fn of_segments(generator: &mut SchemaGenerator, payload: Payload) -> Schema {
    match payload {
        Payload::Segments => generator.subschema_for::<SegmentList>(),
        Payload::SegmentDefinition => generator.subschema_for::<SegmentDefinition>(),
        Payload::SegmentMembers => generator.subschema_for::<MemberPage>(),
        Payload::ListAsk => generator.subschema_for::<ListAsk>(),
        Payload::ListChanged => generator.subschema_for::<ListChanged>(),
        Payload::SegmentHistory => generator.subschema_for::<SegmentHistory>(),
        Payload::PreviewAsk => generator.subschema_for::<PreviewAsk>(),
        Payload::PreviewLines => generator.subschema_for::<PreviewLine>(),
        _ => generator.subschema_for::<SegmentView>(),
    }
}
