//! All that is stored about a person, in one document.

use endcap_events::ingest::quarantine::Listed;
use endcap_identity::{FragmentId, LinkStrength};
use endcap_profile::device_context::DeviceView;
use endcap_profile::timers::TimerKey;
use endcap_profile::{Fragment, ProfileRow};
use endcap_protocol::{AnonymousId, UnixMillis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::events::LoggedEvent;
use super::graph::PersonGraph;

/// A list that somebody was put on, or taken off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ListedView {
    /// The list's segment.
    pub segment: String,
    /// Whether they are on it.
    pub on: bool,
    /// When that was said, Unix milliseconds.
    pub at: UnixMillis,
}

/// One fragment as it is exported.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FragmentView {
    /// The fragment.
    pub fragment_id: String,
    /// The browser; none for what a server keeps.
    pub anonymous_id: Option<String>,
    /// The installation.
    pub device_id: Option<String>,
    /// When it was begun.
    pub since: UnixMillis,
    /// What links it to the profile.
    #[serde(rename = "standing")]
    pub link_strength: LinkStrength,
    /// Whom it is said to be.
    pub user_id: Option<String>,
    /// Time zone of the browser.
    pub zone: String,
    /// The device that it came with last. Null where nothing is known of it, and from a shard that runs an older version.
    #[serde(default)]
    pub device: Option<DeviceView>,
    /// Lists that somebody put its person on, or took them off, with when that was. Lists that are gone may be among them.
    #[serde(default)]
    pub lists: Vec<ListedView>,
    /// Events accepted.
    pub events: u64,
}

impl FragmentView {
    /// The view of a fragment.
    #[must_use]
    pub fn new(id: &FragmentId, fragment: &Fragment, row: &ProfileRow) -> Self {
        let lists = row.lists.get(id).into_iter().flatten();
        let listed =
            lists.map(|(list, mark)| ListedView { segment: list.as_str().to_owned(), on: mark.is_on, at: mark.at });
        Self {
            fragment_id: id.as_str().to_owned(),
            anonymous_id: fragment.browser.as_ref().map(AnonymousId::as_str).map(str::to_owned),
            device_id: fragment.device_id.as_ref().map(|id| id.as_str().to_owned()),
            since: fragment.since,
            link_strength: fragment.link_strength,
            user_id: fragment.user.as_ref().map(|named| named.user_id.as_str().to_owned()),
            zone: fragment.zone.clone(),
            device: row.devices.get(id).map(DeviceView::from),
            lists: listed.collect(),
            events: fragment.accepted,
        }
    }
}

/// A push subscription as it is exported: without its keys.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SubscriptionView {
    /// The fragment of the browser.
    pub fragment_id: String,
    /// Where messages are sent.
    pub endpoint: String,
    /// Origin of the pages that subscribed.
    pub origin: String,
    /// Since when.
    pub since: UnixMillis,
}

/// A timer as it is exported.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct TimerView {
    /// When it is due.
    pub due: UnixMillis,
    /// 1: a cart left behind; 2: the lifecycle stage; 0: something else, which `key` says.
    pub kind: i64,
    /// What it is for, such as `cart_left` or `journey/welcome/2`. Empty from a shard that runs an older version.
    #[serde(default)]
    pub key: String,
}

impl TimerView {
    /// A timer by its stored key.
    #[must_use]
    pub fn new(due: UnixMillis, key: &str) -> Self {
        let kind = match TimerKey::parse(key) {
            Some(key) if key == TimerKey::CART_LEFT => 1,
            Some(key) if key == TimerKey::STAGE => 2,
            _ => 0,
        };
        Self { due, kind, key: key.to_owned() }
    }
}

/// What a shard keeps of a person besides profile and events.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Belongings {
    /// Fragments.
    pub fragments: Vec<FragmentView>,
    /// Push subscriptions.
    pub subscriptions: Vec<SubscriptionView>,
    /// Timers.
    pub timers: Vec<TimerView>,
    /// Refused events.
    pub refused: Vec<Listed>,
}

impl Belongings {
    /// Adds what another shard keeps.
    pub fn extend(&mut self, other: Self) {
        self.fragments.extend(other.fragments);
        self.subscriptions.extend(other.subscriptions);
        self.timers.extend(other.timers);
        self.refused.extend(other.refused);
    }
}

/// All that is stored about a person. Consent and its history are in the profile.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Export {
    /// When it was exported.
    pub exported_at: UnixMillis,
    /// The profile, as `GET /api/profiles/{id}` shows it.
    #[schemars(with = "crate::profile_view::ProfileView")]
    pub profile: Box<RawValue>,
    /// The fragments of the person, and what joins them.
    pub graph: PersonGraph,
    /// What else is kept.
    #[serde(flatten)]
    pub belongings: Belongings,
    /// The events in full, those received last at the front.
    pub events: Vec<LoggedEvent>,
    /// Where `GET /api/profiles/{id}/events` goes on, where there are more events than fit into one answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_cursor: Option<String>,
}
