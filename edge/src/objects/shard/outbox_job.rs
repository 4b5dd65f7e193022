//! Jobs of the outbox: what has to happen elsewhere.

use endcap_identity::{Assertion, FragmentId, Possession};
use endcap_profile::device_context::DeviceContext;
use endcap_profile::list_mark::ListMarks;
use endcap_profile::row::LatestFragment;
use endcap_protocol::{AnonymousId, ProfileId};
use serde::{Deserialize, Serialize};

use super::table::subscription::StoredSubscription;
use crate::rpc::message::{Done, Message};

/// Something to do elsewhere. The words in which it is stored are those of the first version.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(super) enum OutboxJob {
    /// Tell the identity graph what was said about a fragment, and carry out its answer.
    #[serde(rename = "tell")]
    LinkIdentity(Box<LinkIdentity>),
    /// Bring a fragment to the profile that it belongs to.
    #[serde(rename = "bring")]
    MoveFragment(Box<MoveFragment>),
    /// Send a push message to one browser.
    #[serde(rename = "send")]
    SendPush(SendPush),
    /// Tell the profile that a browser began as which of its fragments is the latest.
    #[serde(rename = "point")]
    PointBrowser(Box<PointBrowser>),
}

/// Which of a browser's fragments is the latest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PointBrowser {
    /// The browser.
    pub(super) browser: AnonymousId,
    /// The fragment, and where it is.
    pub(super) latest: LatestFragment,
}

impl PointBrowser {
    /// Names the job.
    pub(super) fn job_id(&self) -> String {
        format!("point {} {}", self.latest.fragment.as_str(), self.latest.version)
    }
}

impl Message for PointBrowser {
    const PATH: &'static str = "/point";
    type Reply = Done;
}

/// What was said about a fragment, for the graph.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LinkIdentity {
    /// The profile that had the fragment.
    pub(super) profile_id: ProfileId,
    /// What was said.
    pub(super) assertion: Assertion,
}

/// A fragment on its way to its profile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MoveFragment {
    /// The profile.
    pub(super) into: ProfileId,
    /// The fragment's name.
    pub(super) fragment_id: FragmentId,
    /// The fragment and what of it lies in tables of its own, packed, base64.
    #[serde(rename = "parcel")]
    pub(super) packed: String,
    /// Its push subscriptions.
    pub(super) subscriptions: Vec<StoredSubscription>,
    /// Who has its anonymous ID; None where that is open, or a version wrote the job that did not know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) possession: Option<Possession>,
    /// What conditions count of it, packed, base64; None where they count nothing, or a version wrote the job that did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) occurrences: Option<String>,
    /// The device that it came with; None where that is not known, or a version wrote the job that knew none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device: Option<DeviceContext>,
    /// The lists that somebody put it on, or took it off.
    #[serde(default, skip_serializing_if = "ListMarks::is_empty")]
    pub(super) lists: ListMarks,
}

impl Message for MoveFragment {
    const PATH: &'static str = "/absorb";
    type Reply = Done;
}

/// A message for one browser.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct SendPush {
    /// The profile that the browser belongs to.
    pub(super) profile_id: ProfileId,
    /// Names the message.
    pub(super) message_id: String,
    /// Messages of one topic replace each other.
    pub(super) topic: String,
    /// Where it goes.
    pub(super) endpoint: String,
    /// Its title.
    pub(super) title: String,
    /// Its text.
    pub(super) body: String,
    /// Path that a click leads to.
    pub(super) path: String,
    /// How long it is useful.
    pub(super) ttl_seconds: u32,
}
