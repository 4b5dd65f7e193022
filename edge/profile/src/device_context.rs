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
    /// What it told of itself.
    pub sender: Sender,
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
        let sender = Sender { agent, locale: LanguageTag::parse(&stored.locale), place: stored.place };
        Self { at: stored.at, sender }
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
            place: held.sender.place.clone(),
        }
    }
}

impl DeviceContext {
    /// What is known of it; None where that is nothing.
    #[must_use]
    pub fn text(&self, fact: DeviceText) -> Option<&str> {
        let Sender { agent, locale, place } = &self.sender;
        let known = |text: &'_ str| !text.is_empty();
        match fact {
            DeviceText::Device => agent.device.map(DeviceKind::as_str),
            DeviceText::Browser => agent.browser.map(BrowserFamily::as_str),
            DeviceText::System => agent.system.map(OperatingSystem::as_str),
            DeviceText::Language => locale.as_ref().map(LanguageTag::language),
            DeviceText::Locale => locale.as_ref().map(LanguageTag::as_str),
            DeviceText::Country => Some(place.country()).filter(|text| known(text)),
            DeviceText::Region => Some(place.region()).filter(|text| known(text)),
            DeviceText::City => Some(place.city()).filter(|text| known(text)),
        }
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
