//! The shop's settings.

use std::collections::BTreeMap;

use endcap_identity::IdentityRules;
use endcap_models::lifecycle;
use endcap_protocol::FieldError;
use endcap_targeting::{Stage, compile};
use endcap_validation::placeholder;
use endcap_validation::text::check_text;
use endcap_validation::url::check_url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::rule_schemas;
use crate::customer_model::own_model::{self, OwnModel};
use crate::payment_return::check_hosts;
use crate::score::customers::OrderRules;
use crate::score::scores::CHURN_DAYS;

/// Everything that a shop can set; what is left out has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// IANA time zone that a day means.
    pub time_zone: String,
    /// ISO 4217 code of the shop's currency: of reports, and of events that name none.
    pub currency: String,
    /// The message about a cart left behind.
    pub cart_push: CartPush,
    /// How visitors are asked for web push.
    pub push_prompt: PushPrompt,
    /// The lifecycle model.
    pub lifecycle: LifecycleSettings,
    /// The rules of identity resolution.
    pub identity: IdentityRules,
    /// Scores of customers.
    #[serde(skip_serializing_if = "ScoreSettings::is_default")]
    pub scores: ScoreSettings,
    /// Hosts from which a visitor comes back without arriving, besides the known payment providers and the source's own origins;
    /// each stands for all below it. At most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_referrers: Vec<String>,
    /// Models of the shop's own, by their names in addresses: who is in which group, by conditions over orders. At most 10.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub models: BTreeMap<String, OwnModel>,
}

/// The message about a cart left behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CartPush {
    /// Whether it is sent at all.
    pub enabled: bool,
    /// Seconds after the cart's last change, 1 to 604,800.
    pub after_seconds: u32,
    /// Lifecycle stages of those who get it.
    pub stages: Vec<String>,
    /// Title; `{{count}}` is the number of units, `{{product}}` the title of the first product.
    pub title: String,
    /// Text, with the same placeholders.
    pub body: String,
    /// Where a click leads: a path of the shop.
    pub url: String,
    /// How long an undelivered message stays useful, in seconds, 60 to 2,419,200.
    pub ttl_seconds: u32,
}

/// How visitors are asked for web push: first by a prompt of ours, then by the browser's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PushPrompt {
    /// Whether visitors are asked.
    pub enabled: bool,
    /// Title.
    pub title: String,
    /// Text.
    pub body: String,
    /// Label of the button that goes on to the browser's prompt.
    pub accept: String,
    /// Label of the button that closes the prompt.
    pub later: String,
    /// When it appears, as a campaign's trigger.
    #[schemars(with = "rule_schemas::Trigger")]
    pub trigger: Value,
}

/// The lifecycle model's thresholds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LifecycleSettings {
    /// Repurchase cycle in days until there are 100 gaps between orders to learn it from, 1 to 3,650.
    pub default_cycle_days: u32,
    /// End of Sleep, in cycles, 1 to 20.
    pub sleep_cycles: u32,
    /// End of Lost, in cycles, 1 to 40.
    pub lost_cycles: u32,
    /// Least end of Lost, in days, 1 to 3,650.
    pub least_lost_days: u32,
    /// Window of the model NAPL, in days, 1 to 3,650.
    #[serde(skip_serializing_if = "is_usual_window")]
    pub napl_days: u32,
    /// Share of customers whom the model DCIU takes for deciding, in percent, 1 to 50.
    #[serde(skip_serializing_if = "is_usual_deciding")]
    pub deciding_percent: u32,
    /// Share of those after them whom it takes for considering, in percent, 1 to 50.
    #[serde(skip_serializing_if = "is_usual_considering")]
    pub considering_percent: u32,
}

/// Whether it is the usual one: an object of an earlier version does not know the member.
fn is_usual_window(days: &u32) -> bool {
    *days == LifecycleSettings::default().napl_days
}

fn is_usual_deciding(percent: &u32) -> bool {
    *percent == LifecycleSettings::default().deciding_percent
}

fn is_usual_considering(percent: &u32) -> bool {
    *percent == LifecycleSettings::default().considering_percent
}

/// Scores of customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ScoreSettings {
    /// Days without an order by which a customer counts as lost, 7 to 365; heeded from the next fit on.
    pub churn_days: u32,
}

impl Default for ScoreSettings {
    fn default() -> Self {
        Self { churn_days: CHURN_DAYS }
    }
}

impl ScoreSettings {
    /// Whether nothing is set: an object of an earlier version does not know the member.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: "UTC".to_owned(),
            currency: "EUR".to_owned(),
            cart_push: CartPush::default(),
            push_prompt: PushPrompt::default(),
            lifecycle: LifecycleSettings::default(),
            identity: IdentityRules::default(),
            scores: ScoreSettings::default(),
            ignored_referrers: Vec::new(),
            models: BTreeMap::new(),
        }
    }
}

impl Default for CartPush {
    fn default() -> Self {
        Self {
            enabled: true,
            after_seconds: 1800,
            stages: vec!["new".to_owned(), "active".to_owned()],
            title: "Your cart is waiting".to_owned(),
            body: "{{product}} is still in your cart.".to_owned(),
            url: "/cart".to_owned(),
            ttl_seconds: 14_400,
        }
    }
}

impl Default for PushPrompt {
    fn default() -> Self {
        Self {
            enabled: true,
            title: "Shall we let you know?".to_owned(),
            body: "A note when you leave something in your cart. Never more than one a day.".to_owned(),
            accept: "Yes, notify me".to_owned(),
            later: "Not now".to_owned(),
            trigger: serde_json::json!({"dwell_seconds": 20}),
        }
    }
}

impl Default for LifecycleSettings {
    fn default() -> Self {
        let lifecycle::IntentShares { deciding, considering } = lifecycle::IntentShares::default();
        Self {
            default_cycle_days: 30,
            sleep_cycles: 2,
            lost_cycles: 3,
            least_lost_days: 180,
            napl_days: 90,
            deciding_percent: deciding,
            considering_percent: considering,
        }
    }
}

impl Settings {
    /// The shop's currency.
    #[must_use]
    pub fn currency(&self) -> Option<[u8; 3]> {
        endcap_protocol::money::parse_currency(&self.currency)
    }

    /// How orders up to the end of a day count for scores.
    #[must_use]
    pub fn order_rules(&self, until: i64) -> OrderRules {
        let currency = self.currency().map_or_else(String::new, |code| String::from_utf8_lossy(&code).into_owned());
        OrderRules { until, time_zone: self.time_zone.clone(), currency }
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The field that is out of range, with its path.
    pub fn check(&self) -> Result<(), FieldError> {
        check_text("time_zone", &self.time_zone, 64)?;
        if self.currency().is_none() {
            return Err(FieldError::new("currency", "must be an ISO 4217 code"));
        }
        self.cart_push.check().map_err(|e| e.under("cart_push"))?;
        self.push_prompt.check().map_err(|e| e.under("push_prompt"))?;
        self.identity.check()?;
        check_hosts(&self.ignored_referrers).map_err(|error| error.under("ignored_referrers"))?;
        own_model::check_all(&self.models)?;
        within("scores.churn_days", self.scores.churn_days, 7..=365)?;
        self.lifecycle.check().map_err(|e| e.under("lifecycle"))
    }
}

fn within(path: &str, value: u32, range: std::ops::RangeInclusive<u32>) -> Result<(), FieldError> {
    let message = || format!("must be {} to {}", range.start(), range.end());
    if range.contains(&value) { Ok(()) } else { Err(FieldError::new(path, message())) }
}

/// What the texts of the message about a cart may stand for.
const CART_PLACEHOLDERS: [&str; 2] = ["count", "product"];

impl CartPush {
    fn check(&self) -> Result<(), FieldError> {
        within("after_seconds", self.after_seconds, 1..=604_800)?;
        within("ttl_seconds", self.ttl_seconds, 60..=2_419_200)?;
        check_text("title", &self.title, 200)?;
        check_text("body", &self.body, 1000)?;
        placeholder::check("title", &self.title, &CART_PLACEHOLDERS)?;
        placeholder::check("body", &self.body, &CART_PLACEHOLDERS)?;
        placeholder::check("url", &self.url, &[])?;
        check_url("url", &self.url)?;
        if !self.url.starts_with('/') {
            return Err(FieldError::new("url", "must be a path of the shop"));
        }
        for (i, name) in self.stages.iter().enumerate() {
            if Stage::parse(name).is_none() {
                let message = "must be prospect, new, active, sleep, lost or deep";
                return Err(FieldError::new(format!("stages[{i}]"), message));
            }
        }
        Ok(())
    }

    /// Whether customers of this stage get the message.
    #[must_use]
    pub fn reaches(&self, stage: Stage) -> bool {
        self.enabled && self.stages.iter().any(|name| name == stage.as_str())
    }
}

impl PushPrompt {
    fn check(&self) -> Result<(), FieldError> {
        for (path, text, max) in [
            ("title", &self.title, 200),
            ("body", &self.body, 1000),
            ("accept", &self.accept, 60),
            ("later", &self.later, 60),
        ] {
            check_text(path, text, max)?;
            placeholder::check(path, text, &[])?;
        }
        compile::trigger(&self.trigger).map(|_| ())
    }
}

impl LifecycleSettings {
    fn check(&self) -> Result<(), FieldError> {
        within("default_cycle_days", self.default_cycle_days, 1..=3650)?;
        within("sleep_cycles", self.sleep_cycles, 1..=20)?;
        within("lost_cycles", self.lost_cycles, 1..=40)?;
        within("least_lost_days", self.least_lost_days, 1..=3650)?;
        within("napl_days", self.napl_days, 1..=3650)?;
        within("deciding_percent", self.deciding_percent, 1..=50)?;
        within("considering_percent", self.considering_percent, 1..=50)
    }

    /// The shares of the model DCIU.
    #[must_use]
    pub fn intent_shares(&self) -> lifecycle::IntentShares {
        lifecycle::IntentShares { deciding: self.deciding_percent, considering: self.considering_percent }
    }

    /// The model's own configuration.
    #[must_use]
    pub fn config(&self) -> lifecycle::Config {
        let days = |days: u32| i64::from(days) * endcap_protocol::DAY_MS;
        lifecycle::Config {
            default_cycle_ms: days(self.default_cycle_days),
            sleep_cycles: self.sleep_cycles,
            lost_cycles: self.lost_cycles,
            least_lost_ms: days(self.least_lost_days),
            ..lifecycle::Config::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn defaults_are_right_and_partial_settings_are_filled_up() {
        assert_eq!(Settings::default().check(), Ok(()));
        let settings: Settings = serde_json::from_value(json!({"cart_push": {"after_seconds": 2}})).unwrap();
        assert_eq!(settings.cart_push.after_seconds, 2);
        assert_eq!(settings.cart_push.url, "/cart");
        let written = |days: u32| {
            let settings: Settings = serde_json::from_value(json!({"lifecycle": {"napl_days": days}})).unwrap();
            serde_json::to_value(settings).unwrap()["lifecycle"].get("napl_days").cloned()
        };
        assert_eq!((written(90), written(60)), (None, Some(json!(60))), "earlier versions do not know it");
    }

    #[test]
    fn says_which_setting_is_wrong() {
        let wrong = |value| serde_json::from_value::<Settings>(value).unwrap().check().unwrap_err().path;
        assert_eq!(wrong(json!({"cart_push": {"after_seconds": 0}})), "cart_push.after_seconds");
        assert_eq!(wrong(json!({"cart_push": {"stages": ["new", "x"]}})), "cart_push.stages[1]");
        assert_eq!(wrong(json!({"cart_push": {"url": "https://evil.example/"}})), "cart_push.url");
        assert_eq!(wrong(json!({"push_prompt": {"trigger": {}}})), "push_prompt.trigger");
        assert!(serde_json::from_value::<Settings>(json!({"cart_pusch": {}})).is_err());
    }
}
