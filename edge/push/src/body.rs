//! What browsers send about web push: their subscriptions, and what became of a notification.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RawSubscription;

/// The body of `POST {prefix}/push`: a browser subscribes, or ends it. One of the two has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct PushBody {
    /// The browser.
    pub anonymous_id: String,
    /// The source that the page belongs to.
    pub source: String,
    /// The new subscription.
    #[serde(default)]
    pub subscription: Option<RawSubscription>,
    /// The key of the shop that it was made with, by name.
    #[serde(default)]
    pub key_id: String,
    /// The endpoint of the subscription that ended.
    #[serde(default)]
    pub unsubscribe: Option<String>,
    /// The token of the subscription that this one replaces, by which a service worker shows whose it was.
    #[serde(default)]
    pub renewal: Option<String>,
}

/// The body of `POST {prefix}/n`: what a service worker reports about a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportBody {
    /// The notification's signed reference.
    pub token: String,
    /// What happened.
    pub outcome: Report,
}

/// What a browser reports about a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// It was shown.
    Shown,
    /// It was clicked.
    Clicked,
    /// It was closed.
    Closed,
}

/// The answer to a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PushReply {
    /// Whether the request subscribed the browser.
    pub subscribed: bool,
    /// The token of this subscription: its service worker may replace it by that, also where no cookie shows whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal: Option<String>,
}

#[cfg(test)]
mod tests {
    use endcap_validation::read_json;

    use super::*;

    #[test]
    fn the_end_of_a_subscription_needs_no_new_one() {
        let body = br#"{"anonymous_id":"a","source":"shop","unsubscribe":"https://web.push.apple.com/Q"}"#;
        let body: PushBody = read_json(body).unwrap();
        assert_eq!((body.subscription, body.key_id.as_str()), (None, ""));
        assert_eq!(body.unsubscribe.as_deref(), Some("https://web.push.apple.com/Q"));
    }

    #[test]
    fn a_report_of_no_known_outcome_is_refused_by_its_field() {
        let error = read_json::<ReportBody>(br#"{"token":"t","outcome":"eaten"}"#).unwrap_err();
        assert_eq!((error.path(), error.status()), ("outcome", 400));
    }
}
