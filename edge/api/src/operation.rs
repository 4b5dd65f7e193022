//! The table of routes.

use super::method::Method;
use super::payload::Payload;
use super::role::Role;
use super::route::Route;

/// Writes the enum, the list and the table from one text.
macro_rules! operations {
    ($($name:ident: $method:ident $path:literal $role:ident $id:literal $request:ident => $answer:ident;)*) => {
        /// What the edge can be asked to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Operation {
            $(
                #[doc = concat!("`", stringify!($method), " ", $path, "`")]
                $name,
            )*
        }

        impl Operation {
            /// Every operation, in the order of the document.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Its row of the table.
            #[must_use]
            pub const fn route(self) -> Route {
                match self {
                    $(
                        Self::$name => Route {
                            method: Method::$method,
                            path: $path,
                            role: Role::$role,
                            id: $id,
                            request: Payload::$request,
                            answer: Payload::$answer,
                        },
                    )*
                }
            }
        }
    };
}

operations! {
    Health: GetOrHead "/healthz" Anybody "health" Nothing => AnyJson;
    Describe: GetOrHead "/api/openapi.json" Anybody "describe" Nothing => AnyJson;

    GetProfile: Get "/api/profiles" Operator "getProfile" Nothing => Profile;
    EraseNamedProfile: Delete "/api/profiles" Operator "eraseNamedProfile" Nothing => Erased;
    GetProfileById: Get "/api/profiles/{id}" Operator "getProfileById" Nothing => Profile;
    EraseProfile: Delete "/api/profiles/{id}" Operator "eraseProfile" Nothing => Erased;
    GetProfileEvents: Get "/api/profiles/{id}/events" Operator "getProfileEvents" Nothing => EventPage;
    GetProfileGraph: Get "/api/profiles/{id}/graph" Operator "getProfileGraph" Nothing => PersonGraph;
    ExportProfile: Get "/api/profiles/{id}/export" Operator "exportProfile" Nothing => PersonExport;
    Unmerge: Post "/api/profiles/unmerge" Operator "unmerge" LinksAsk => LinksReply;
    RestoreLinks: Post "/api/identity/restore" Operator "restoreLinks" LinksAsk => LinksReply;
    ApproveLinks: Post "/api/identity/approve" Operator "approveLinks" LinksAsk => LinksReply;
    ListConflicts: Get "/api/identity/conflicts" Operator "listConflicts" Nothing => Conflicts;

    GetProducts: Get "/api/products" Operator "getProducts" Nothing => Products;
    PutProducts: Put "/api/products" Operator "putProducts" Products => Saved;
    DeleteProduct: Delete "/api/products/{id*}" Operator "deleteProduct" Nothing => Nothing;
    GetSettings: Get "/api/settings" Operator "getSettings" Nothing => Settings;
    PutSettings: Put "/api/settings" Operator "putSettings" Settings => Settings;
    GetCampaigns: Get "/api/campaigns" Operator "getCampaigns" Nothing => Campaigns;
    GetCampaign: Get "/api/campaigns/{id*}" Operator "getCampaign" Nothing => Campaign;
    PutCampaign: Put "/api/campaigns/{id*}" Operator "putCampaign" CampaignDefinition => Campaign;
    DeleteCampaign: Delete "/api/campaigns/{id*}" Operator "deleteCampaign" Nothing => Nothing;
    GetSegments: Get "/api/segments" Operator "getSegments" Nothing => Segments;
    GetSegment: Get "/api/segments/{id}" Operator "getSegment" Nothing => Segment;
    PutSegment: Put "/api/segments/{id}" Operator "putSegment" SegmentDefinition => Segment;
    DeleteSegment: Delete "/api/segments/{id}" Operator "deleteSegment" Nothing => Nothing;
    GetSegmentMembers: Get "/api/segments/{id}/members" Operator "getSegmentMembers" Nothing => SegmentMembers;
    ChangeList: Post "/api/segments/{id}/list" Operator "changeList" ListAsk => ListChanged;
    GetSegmentHistory: Get "/api/segments/{id}/history" Operator "getSegmentHistory" Nothing => SegmentHistory;
    ExportSegment: Get "/api/segments/{id}/export" Operator "exportSegment" Nothing => SegmentExport;
    PreviewSegment: Post "/api/segments/preview" Operator "previewSegment" PreviewAsk => PreviewLines;
    ExplainCondition: Post "/api/segments/explain" Operator "explainCondition" ExplainAsk => Explained;
    ConvertCondition: Post "/api/conditions" Operator "convertCondition" ConditionAsk => ConditionForms;
    GetShards: Get "/api/shards" Operator "getShards" Nothing => Shards;
    PutShards: Put "/api/shards" Operator "putShards" ShardsAsk => Shards;
    GetHealth: Get "/api/health" Operator "getHealth" Nothing => DeploymentHealth;
    GetTimers: Get "/api/timers" Operator "getTimers" Nothing => Timers;
    GetScores: Get "/api/scores" Operator "getScores" Nothing => Scores;
    FitScores: Post "/api/scores/fit" Operator "fitScores" Nothing => Scores;
    GetModels: Get "/api/models" Operator "getModels" Nothing => Models;
    GetModel: Get "/api/models/{model}" Operator "getModel" Nothing => ModelSizes;
    GetModelTransitions: Get "/api/models/{model}/transitions" Operator "getModelTransitions" Nothing => ModelTransitions;
    GetModelRevenue: Get "/api/models/{model}/revenue" Operator "getModelRevenue" Nothing => ModelRevenue;
    GetModelPeople: Get "/api/models/{model}/people" Operator "getModelPeople" Nothing => ModelPeople;
    GetParkedJobs: Get "/api/jobs/parked" Operator "getParkedJobs" Nothing => ParkedJobs;
    RetryJobs: Post "/api/jobs/retry" Operator "retryJobs" RetryAsk => RetryReply;
    MakeLinks: Post "/api/links" Operator "makeLinks" MessageLinksAsk => MessageLinks;
    GetWebhooks: Get "/api/webhooks" Operator "getWebhooks" Nothing => Webhooks;
    GetWebhook: Get "/api/webhooks/{source*}" Operator "getWebhook" Nothing => Webhook;
    PutWebhook: Put "/api/webhooks/{source*}" Operator "putWebhook" MappingDefinition => Webhook;
    DeleteWebhook: Delete "/api/webhooks/{source*}" Operator "deleteWebhook" Nothing => Nothing;
    ListRefused: Get "/api/quarantine" Operator "listRefused" Nothing => RefusedPage;
    CountRefused: Get "/api/quarantine/counts" Operator "countRefused" Nothing => RefusedCounts;
    ReplayRefused: Post "/api/quarantine/replay" Operator "replayRefused" ReplayAsk => ReplayReply;
    GetRefused: Get "/api/quarantine/{id*}" Operator "getRefused" Nothing => Refused;

    SendWebhook: Post "/v1/webhooks/{source*}" Signature "sendWebhook" Delivery => BatchReply;

    SendBatch: Post "/ec/e" Page "sendBatch" Batch => BatchReply;
    Subscribe: Post "/ec/push" Page "subscribe" PushBody => PushReply;
    ReportNotification: Post "/ec/n" Page "reportNotification" ReportBody => Nothing;
    GetCampaignPart: GetOrHead "/ec/c/{file}" Anybody "getCampaignPart" Nothing => CampaignPart;
    Diagnose: GetOrHead "/ec/diagnosis" Anybody "diagnose" Nothing => Diagnosis;
    Pixel: GetOrHead "/ec/p.gif" Visitor "pixel" Nothing => Image;
    FollowLink: GetOrHead "/ec/r" Visitor "followLink" Nothing => Redirect;
    CrossDomain: GetOrHead "/ec/x" Visitor "cross" Nothing => Redirect;

    Track: Post "/v1/track" WriteKey "track" Call => Taken;
    TrackShort: Post "/v1/t" WriteKey "trackShort" Call => Taken;
    Identify: Post "/v1/identify" WriteKey "identify" Call => Taken;
    IdentifyShort: Post "/v1/i" WriteKey "identifyShort" Call => Taken;
    Page: Post "/v1/page" WriteKey "page" Call => Taken;
    PageShort: Post "/v1/p" WriteKey "pageShort" Call => Taken;
    Screen: Post "/v1/screen" WriteKey "screen" Call => Taken;
    ScreenShort: Post "/v1/s" WriteKey "screenShort" Call => Taken;
    Group: Post "/v1/group" WriteKey "group" Call => Taken;
    GroupShort: Post "/v1/g" WriteKey "groupShort" Call => Taken;
    Alias: Post "/v1/alias" WriteKey "alias" Call => Taken;
    AliasShort: Post "/v1/a" WriteKey "aliasShort" Call => Taken;
    SendCalls: Post "/v1/batch" WriteKey "sendCalls" Calls => Taken;
    SendCallsShort: Post "/v1/b" WriteKey "sendCallsShort" Calls => Taken;
    ImportCalls: Post "/v1/import" WriteKey "importCalls" Calls => Taken;
    SendBeacon: Post "/beacon/v1/batch" WriteKey "sendBeacon" Calls => Taken;
    SendMetrics: Post "/v1/m" WriteKey "sendMetrics" Metrics => AnyJson;
    GetClientSettings: GetOrHead "/v1/projects/{key}/settings" WriteKey "getClientSettings" Nothing => AnyJson;
    GetSourceConfig: GetOrHead "/sourceConfig" WriteKey "getSourceConfig" Nothing => AnyJson;
}
