//! Source, medium and campaign of a touch.

use endcap_profile::touchpoint::Touchpoint;
use endcap_protocol::touch::{cut, decode};

use super::sites;

/// Most custom parameters of one touch.
const CUSTOM: usize = 10;
/// Longest value of one, in bytes.
const VALUE_BYTES: usize = 200;
/// Longest name of one, in bytes.
const NAME_BYTES: usize = 64;
/// The standard parameters, which are kept apart.
const STANDARD: [&str; 6] = ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "utm_id"];

/// Click identifiers: parameter, source and medium. An identifier that only ads carry means a paid click; Meta adds its
/// own to every link that leaves its sites.
const CLICKS: [(&str, &str, &str); 13] = [
    ("gclid", "google", "cpc"),
    ("gbraid", "google", "cpc"),
    ("wbraid", "google", "cpc"),
    ("dclid", "google", "display"),
    ("msclkid", "bing", "cpc"),
    ("ttclid", "tiktok", "cpc"),
    ("twclid", "twitter", "cpc"),
    ("li_fat_id", "linkedin", "cpc"),
    ("epik", "pinterest", "cpc"),
    ("rdt_cid", "reddit", "cpc"),
    ("sccid", "snapchat", "cpc"),
    ("yclid", "yandex", "cpc"),
    ("fbclid", "facebook", "referral"),
];

/// Where a touch came from, in the terms of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who sent the visitor: what the campaign says, a search engine's name, or a host; else `(direct)`.
    pub source: String,
    /// How: what the campaign says, `cpc`, `organic`, `ai-assistant` or `referral`; else `(none)`.
    pub medium: String,
    /// Name of the campaign; empty where there is none.
    pub campaign: String,
}

impl Origin {
    /// The origin of a touch: its parameters where they say, then its click identifiers, then its referrer.
    #[must_use]
    pub fn of(touch: &Touchpoint) -> Self {
        let utm = |name: &str| touch.utm.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let click = CLICKS.iter().find(|(name, ..)| touch.click_ids.iter().any(|(key, _)| key == name));
        let click = click.map(|(_, source, medium)| ((*source).to_owned(), (*medium).to_owned()));
        let unknown_click = || {
            let (name, _) = touch.click_ids.first()?;
            Some((name.clone(), "cpc".to_owned()))
        };
        let named = utm("source").is_some() || utm("medium").is_some();
        let found = click.or_else(unknown_click).or_else(|| referrer(&touch.referrer));
        let nothing = if named { ("(not set)", "(not set)") } else { ("(direct)", "(none)") };
        let (source, medium) = found.unwrap_or_else(|| (nothing.0.to_owned(), nothing.1.to_owned()));
        // A campaign that names its source alone says nothing of how, unless the click was paid for.
        let medium =
            if utm("source").is_some() && touch.click_ids.is_empty() { "(not set)".to_owned() } else { medium };
        Self {
            source: utm("source").unwrap_or(source),
            medium: utm("medium").unwrap_or(medium),
            campaign: utm("name").unwrap_or_default(),
        }
    }
}

/// Source and medium of the page that the visitor came from.
fn referrer(url: &str) -> Option<(String, String)> {
    let (_, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default().to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    if host.is_empty() {
        return None;
    }
    Some(match (sites::engine(host), sites::kind(host)) {
        (Some(name), _) => (name.to_owned(), "organic".to_owned()),
        (None, Some(sites::Kind::Assistant)) => (host.to_owned(), "ai-assistant".to_owned()),
        (None, _) => (host.to_owned(), "referral".to_owned()),
    })
}

/// The campaign parameters of a landing address that are not among the standard six, by name without `utm_`: at most
/// ten, the first of each name.
#[must_use]
pub fn custom(landing_url: &str) -> Vec<(String, String)> {
    let query = landing_url.split_once('?').map_or("", |(_, query)| query).split('#').next().unwrap_or_default();
    let mut found: Vec<(String, String)> = Vec::new();
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        let custom = name.strip_prefix("utm_").filter(|rest| (1..=NAME_BYTES).contains(&rest.len()));
        let Some(short) = custom.filter(|_| !STANDARD.contains(&name)).map(decode) else { continue };
        let value = cut(&decode(value), VALUE_BYTES).to_owned();
        if !value.is_empty() && found.len() < CUSTOM && found.iter().all(|(held, _)| *held != short) {
            found.push((short, value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use endcap_events::ingest::event::EventContext;
    use endcap_protocol::touch::Campaign;

    use super::*;
    use crate::channel::Channel;

    fn read(url: &str, referrer: &str) -> (String, String, Channel) {
        let campaign = url.split_once('?').and_then(|(_, query)| Campaign::from_query(query));
        let context = EventContext { url: url.into(), referrer: referrer.into(), campaign, ..EventContext::default() };
        let touch = Touchpoint::of(&context, 1).unwrap_or_else(|| Touchpoint::direct(&context, 1));
        let origin = Origin::of(&touch);
        let channel = Channel::of(&origin);
        (origin.source, origin.medium, channel)
    }

    #[test]
    fn parameters_then_click_ids_then_the_referrer() {
        let shop = "https://shop.example/";
        let cases = [
            ("", "", "(direct)", "(none)", Channel::Direct),
            ("?utm_source=mail&utm_medium=email", "https://www.google.com/", "mail", "email", Channel::Email),
            ("?gclid=1", "https://www.google.com/", "google", "cpc", Channel::PaidSearch),
            ("?gclid=1&utm_source=google", "", "google", "cpc", Channel::PaidSearch),
            ("?dclid=1", "", "google", "display", Channel::Display),
            ("?msclkid=1", "", "bing", "cpc", Channel::PaidSearch),
            ("?fbclid=1", "", "facebook", "referral", Channel::OrganicSocial),
            ("?fbclid=1&utm_source=ig&utm_medium=paid", "", "ig", "paid", Channel::PaidSocial),
            ("?ttclid=1", "", "tiktok", "cpc", Channel::PaidSocial),
            ("?lclid=1", "", "lclid", "cpc", Channel::PaidOther),
            ("", "https://www.google.co.uk/", "google", "organic", Channel::OrganicSearch),
            ("", "https://docs.google.com/x", "docs.google.com", "referral", Channel::Referral),
            ("", "https://l.facebook.com/l.php", "l.facebook.com", "referral", Channel::OrganicSocial),
            ("", "android-app://com.google.android.googlequicksearchbox/", "google", "organic", Channel::OrganicSearch),
            ("", "https://blog.example:8080/p", "blog.example", "referral", Channel::Referral),
            ("", "https://chatgpt.com/", "chatgpt.com", "ai-assistant", Channel::AiAssistant),
            ("?utm_source=chatgpt.com", "", "chatgpt.com", "(not set)", Channel::AiAssistant),
            ("?utm_source=partner", "https://blog.example/", "partner", "(not set)", Channel::Unassigned),
            ("?utm_medium=affiliate", "", "(not set)", "affiliate", Channel::Affiliates),
        ];
        for (query, referrer, source, medium, channel) in cases {
            let found = read(&format!("{shop}{query}"), referrer);
            assert_eq!(found, (source.to_owned(), medium.to_owned(), channel), "{query} {referrer}");
        }
    }

    #[test]
    fn custom_parameters_are_bounded_and_standard_ones_are_elsewhere() {
        let many: Vec<String> = (0..30).map(|n| format!("utm_c{n}={}", "x".repeat(300))).collect();
        let found = custom(&format!("https://s.example/?{}", many.join("&")));
        assert_eq!((found.len(), found[0].1.len()), (10, 200));
        let found = custom("https://s.example/?utm_source=a&utm_place=top%20left&utm_place=b&utm_=c&x=y#utm_no=1");
        assert_eq!(found, [("place".to_owned(), "top left".to_owned())]);
    }
}
