//! What bodies are: names of the types that read and write them.

/// The type of a request's or an answer's body. The OpenAPI document has a schema for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payload {
    /// No body.
    Nothing,
    /// JSON that is not described further.
    AnyJson,
    /// An image.
    Image,
    /// A redirect, or a page that says why there is none.
    Redirect,
    /// Events of one browser.
    Batch,
    /// What became of each event, and what to show.
    BatchReply,
    /// What of a campaign is the same for every visitor.
    CampaignPart,
    /// Why a page's batches would be refused.
    Diagnosis,
    /// A browser's push subscription, or its end.
    PushBody,
    /// Whether a browser is subscribed.
    PushReply,
    /// What a service worker says of a notification.
    ReportBody,
    /// One call of another vendor's client.
    Call,
    /// Many calls of another vendor's clients.
    Calls,
    /// A client's figures about itself.
    Metrics,
    /// What became of calls.
    Taken,
    /// A delivery of another system.
    Delivery,
    /// One profile.
    Profile,
    /// What was erased.
    Erased,
    /// A page of stored events.
    EventPage,
    /// What joins a person.
    PersonGraph,
    /// All that is stored of a person.
    PersonExport,
    /// Links to drop, restore or approve.
    LinksAsk,
    /// Where fragments went.
    LinksReply,
    /// A page of links that were not followed.
    Conflicts,
    /// Products.
    Products,
    /// How many products were saved.
    Saved,
    /// The shop's settings.
    Settings,
    /// All campaigns.
    Campaigns,
    /// One campaign.
    Campaign,
    /// A campaign as it is saved.
    CampaignDefinition,
    /// Where profiles are.
    Shards,
    /// How many shards are wanted.
    ShardsAsk,
    /// A message for which addresses are wanted.
    MessageLinksAsk,
    /// Addresses for a message.
    MessageLinks,
    /// All webhook sources.
    Webhooks,
    /// One webhook source.
    Webhook,
    /// A mapping as it is saved.
    MappingDefinition,
    /// A page of refused events.
    RefusedPage,
    /// One refused event.
    Refused,
    /// Counts of refused events.
    RefusedCounts,
    /// Which refused events to take in again.
    ReplayAsk,
    /// What became of them.
    ReplayReply,
    /// How timers are.
    Timers,
    /// A condition, as JSON or as text.
    ConditionAsk,
    /// The same in both forms.
    ConditionForms,
    /// A condition that is to be explained of a person.
    ExplainAsk,
    /// Each part of it with the value that it saw.
    Explained,
    /// All segments.
    Segments,
    /// One segment.
    Segment,
    /// A segment as it is saved.
    SegmentDefinition,
    /// A page of a segment's people.
    SegmentMembers,
    /// Who is put on a list, or taken off it.
    ListAsk,
    /// What became of them.
    ListChanged,
    /// How a segment moved by day.
    SegmentHistory,
    /// All people of a segment, as CSV or as lines of JSON.
    SegmentExport,
    /// A condition whose people are to be counted.
    PreviewAsk,
    /// Lines of JSON: an estimate, and the count as it comes in.
    PreviewLines,
    /// How the scores are.
    Scores,
    /// The models of customers' life.
    Models,
    /// How many customers are in each group of a model.
    ModelSizes,
    /// How many moved from which group to which.
    ModelTransitions,
    /// What the customers of each group brought.
    ModelRevenue,
    /// A page of the customers of a group.
    ModelPeople,
    /// Jobs that failed too often.
    ParkedJobs,
    /// Which of them to try again.
    RetryAsk,
    /// How many are tried again.
    RetryReply,
    /// How the deployment is.
    DeploymentHealth,
}
