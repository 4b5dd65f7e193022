//! What a browser's request tells of who sent it, besides its body: device, language and place.

use endcap_protocol::touch::cut;
use serde::{Deserialize, Serialize};

use super::user_agent::UserAgent;

/// Longest language tag, in bytes (RFC 5646, section 4.4.1).
const TAG_BYTES: usize = 35;
/// Longest name of a city, in bytes.
const CITY_BYTES: usize = 64;

/// A language tag (RFC 5646) in its usual spelling: `de-AT`, `zh-Hant-TW`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LanguageTag(String);

impl LanguageTag {
    /// Reads a tag; `_` counts as `-`. None where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let mut parts = text.split(['-', '_']);
        let language = parts.next().filter(|part| (2..=8).contains(&part.len()))?;
        let is_word = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_alphanumeric());
        let is_language = language.bytes().all(|letter| letter.is_ascii_alphabetic());
        if text.len() > TAG_BYTES || !is_language || !parts.clone().all(is_word) {
            return None;
        }
        let spelt = parts.map(|part| match part.len() {
            2 => part.to_ascii_uppercase(),
            4 if part.bytes().all(|letter| letter.is_ascii_alphabetic()) => {
                let (first, rest) = part.split_at(1);
                format!("{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase())
            }
            _ => part.to_ascii_lowercase(),
        });
        let all: Vec<String> = std::iter::once(language.to_ascii_lowercase()).chain(spelt).collect();
        Some(Self(all.join("-")))
    }

    /// The first language of an `Accept-Language` (RFC 9110, section 12.5.4).
    #[must_use]
    pub fn first_accepted(header: &str) -> Option<Self> {
        let first = header.split(',').next()?;
        Self::parse(first.split(';').next()?)
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone, such as `de`.
    #[must_use]
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }
}

/// Where a request came from, as coarse as a city. Empty text where unknown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    country: String,
    region: String,
    city: String,
}

impl Place {
    /// Of a country (ISO 3166-1), the code of its part (ISO 3166-2, without the country) and a city. What is none is left out; a
    /// region and a city without a country say nothing.
    #[must_use]
    pub fn new(country: &str, region: &str, city: &str) -> Self {
        // The platform says XX of what it does not know, and T1 of Tor.
        let is_country = country.len() == 2 && country != "XX" && country.bytes().all(|c| c.is_ascii_alphabetic());
        if !is_country {
            return Self::default();
        }
        let country = country.to_ascii_uppercase();
        let is_region = (1..=3).contains(&region.len()) && region.bytes().all(|c| c.is_ascii_alphanumeric());
        let city: String = city.chars().filter(|sign| !sign.is_control()).collect();
        Self {
            region: if is_region { format!("{country}-{}", region.to_ascii_uppercase()) } else { String::new() },
            city: cut(city.trim(), CITY_BYTES).to_owned(),
            country,
        }
    }

    /// The country, such as `DE`.
    #[must_use]
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The region, such as `DE-BY`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The city, such as `Munich`.
    #[must_use]
    pub fn city(&self) -> &str {
        &self.city
    }
}

/// What a request tells of who sent it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sender {
    /// Device, browser and operating system.
    pub agent: UserAgent,
    /// The language that the browser asks for first.
    pub locale: Option<LanguageTag>,
    /// Where it was.
    pub place: Place,
}

impl Sender {
    /// The same with what another one tells, where it tells nothing itself.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let place = if self.place == Place::default() { other.place } else { self.place };
        Self { agent: self.agent.or(other.agent), locale: self.locale.or(other.locale), place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_get_their_usual_spelling() {
        let tag = |text| LanguageTag::parse(text).map(|tag| tag.as_str().to_owned()).unwrap_or_default();
        let spelt = ["DE", "de_at", "zh-hant-tw", "en-US ", "es-419", "sl-rozaj-biske"].map(tag);
        assert_eq!(spelt, ["de", "de-AT", "zh-Hant-TW", "en-US", "es-419", "sl-rozaj-biske"]);
        let none = ["", "d", "*", "de-", "de--AT", "1de", "deutschland-AT", "de-österreich", "<b>", &"de-a1".repeat(9)];
        assert_eq!(none.map(tag), [""; 10]);
        let accepted = |text| LanguageTag::first_accepted(text).map(|tag| tag.language().to_owned());
        assert_eq!(accepted("de-CH;q=0.9, en;q=0.8").as_deref(), Some("de"));
        assert_eq!(accepted("*"), None);
    }

    #[test]
    fn a_place_is_no_finer_than_a_city_and_holds_nothing_else() {
        let place = Place::new("de", "by", " Munich\n");
        assert_eq!((place.country(), place.region(), place.city()), ("DE", "DE-BY", "Munich"));
        for (country, region) in [("XX", "BY"), ("T1", ""), ("", "BY"), ("Germany", "BY"), ("<s", "")] {
            assert_eq!(Place::new(country, region, "Munich"), Place::default());
        }
        assert_eq!(Place::new("DE", "Bavaria", "").region(), "");
        assert!(Place::new("DE", "", &"ü".repeat(99)).city().len() <= CITY_BYTES);
    }
}
