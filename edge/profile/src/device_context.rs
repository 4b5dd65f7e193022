//! The device that a browser's history came with last, and where it was: what conditions ask of devices.

use endcap_events::ingest::sender::{LanguageTag, Place, Sender};
use endcap_events::ingest::user_agent::UserAgent;
use endcap_protocol::UnixMillis;
use endcap_targeting::device::{BrowserFamily, DeviceKind, DeviceText, OperatingSystem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is known of a browser's device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct DeviceContext {
    /// When it came last.
    pub at: UnixMillis,
    /// Device, browser and operating system.
    pub agent: UserAgent,
    /// The language.
    pub locale: Option<LanguageTag>,
    /// The place.
    pub place: Place,
}

/// The stored form: names, so that a version that does not know one reads the others.
#[derive(Serialize, Deserialize)]
struct Stored {
    at: UnixMillis,
    device: String,
    browser: String,
    system: String,
    locale: String,
    place: Place,
}

impl From<Stored> for DeviceContext {
    fn from(stored: Stored) -> Self {
        let agent = UserAgent {
            device: DeviceKind::parse(&stored.device),
            browser: BrowserFamily::parse(&stored.browser),
            system: OperatingSystem::parse(&stored.system),
        };
        Self { at: stored.at, agent, locale: LanguageTag::parse(&stored.locale), place: stored.place }
    }
}

impl From<DeviceContext> for Stored {
    fn from(held: DeviceContext) -> Self {
        let text = |fact| held.text(fact).unwrap_or_default().to_owned();
        Self {
            at: held.at,
            device: text(DeviceText::Device),
            browser: text(DeviceText::Browser),
            system: text(DeviceText::System),
            locale: text(DeviceText::Locale),
            place: held.place.clone(),
        }
    }
}

impl From<DeviceContext> for Sender {
    fn from(held: DeviceContext) -> Self {
        let DeviceContext { agent, locale, place, .. } = held;
        Self { agent, locale, place }
    }
}

impl DeviceContext {
    /// What is known of it; None where that is nothing.
    #[must_use]
    pub fn text(&self, fact: DeviceText) -> Option<&str> {
        let known = |text: &'_ str| !text.is_empty();
        match fact {
            DeviceText::Device => self.agent.device.map(DeviceKind::as_str),
            DeviceText::Browser => self.agent.browser.map(BrowserFamily::as_str),
            DeviceText::System => self.agent.system.map(OperatingSystem::as_str),
            DeviceText::Language => self.locale.as_ref().map(LanguageTag::language),
            DeviceText::Locale => self.locale.as_ref().map(LanguageTag::as_str),
            DeviceText::Country => Some(self.place.country()).filter(|text| known(text)),
            DeviceText::Region => Some(self.place.region()).filter(|text| known(text)),
            DeviceText::City => Some(self.place.city()).filter(|text| known(text)),
        }
    }

    /// What a sender tells at a time.
    #[must_use]
    pub fn of(sender: Sender, at: UnixMillis) -> Self {
        let Sender { agent, locale, place } = sender;
        Self { at, agent, locale, place }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.agent == UserAgent::default() && self.locale.is_none() && self.place == Place::default()
    }

    /// The same with what was known before it, where it says nothing itself.
    pub(crate) fn or(self, before: Self) -> Self {
        let place = if self.place == Place::default() { before.place } else { self.place };
        Self { at: self.at, agent: self.agent.or(before.agent), locale: self.locale.or(before.locale), place }
    }
}

/// A device as the server API shows it. Null where nothing is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceView {
    /// When it came last, Unix milliseconds.
    pub at: UnixMillis,
    /// The kind of device: `mobile`, `tablet`, `desktop` or `tv`.
    pub device: Option<String>,
    /// The family of browsers.
    pub browser: Option<String>,
    /// The operating system.
    pub operating_system: Option<String>,
    /// The language tag, such as `de-AT`.
    pub locale: Option<String>,
    /// The country (ISO 3166-1).
    pub country: Option<String>,
    /// The region (ISO 3166-2).
    pub region: Option<String>,
    /// The city.
    pub city: Option<String>,
}

impl From<&DeviceContext> for DeviceView {
    fn from(held: &DeviceContext) -> Self {
        let text = |fact| held.text(fact).map(str::to_owned);
        Self {
            at: held.at,
            device: text(DeviceText::Device),
            browser: text(DeviceText::Browser),
            operating_system: text(DeviceText::System),
            locale: text(DeviceText::Locale),
            country: text(DeviceText::Country),
            region: text(DeviceText::Region),
            city: text(DeviceText::City),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_known_spoils_no_other() {
        let held = DeviceContext::from(Stored {
            at: 1,
            device: "glasses".to_owned(),
            browser: "firefox".to_owned(),
            system: String::new(),
            locale: "de".to_owned(),
            place: Place::new("DE", "BY", "Munich"),
        });
        let text = |fact| held.text(fact);
        assert_eq!([DeviceText::Device, DeviceText::Browser].map(text), [None, Some("firefox")]);
        let packed = postcard::to_allocvec(&held).unwrap();
        assert_eq!(postcard::from_bytes::<DeviceContext>(&packed).unwrap(), held);
        assert!(packed.len() < 48, "{}", packed.len());
    }
}
