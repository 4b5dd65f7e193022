//! Channels: how a visitor came, in the groups that shops know from their reports.
//!
//! Role in the flow of one event: none. A touch keeps what the address said, and this module reads it when somebody
//! looks at a profile. So a changed rule holds for the past as well.
//!
//! The rules are those that Google publishes for Analytics 4 ("Default channel group", support.google.com/analytics/
//! answer/9756891): the first that fits counts. Its patterns are written as the text operations that they stand for. The
//! channel *AI Assistant* is of May 2026 (Analytics' *What's new*), by the medium `ai-assistant`; where it stands among
//! the rules is not published, so it stands before *Referral*, from which it was taken.

mod origin;
mod sites;

pub use origin::{Origin, custom};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use sites::Kind;

/// A channel group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Channel {
    /// Nothing says where from: typed in, or a bookmark.
    Direct,
    /// Ads that run on several networks.
    #[serde(rename = "Cross-network")]
    CrossNetwork,
    /// Ads on shopping sites.
    #[serde(rename = "Paid Shopping")]
    PaidShopping,
    /// Ads on search engines.
    #[serde(rename = "Paid Search")]
    PaidSearch,
    /// Ads on social networks.
    #[serde(rename = "Paid Social")]
    PaidSocial,
    /// Ads on video sites.
    #[serde(rename = "Paid Video")]
    PaidVideo,
    /// Banners.
    Display,
    /// Other ads.
    #[serde(rename = "Paid Other")]
    PaidOther,
    /// Links on shopping sites.
    #[serde(rename = "Organic Shopping")]
    OrganicShopping,
    /// Links on social networks.
    #[serde(rename = "Organic Social")]
    OrganicSocial,
    /// Links on video sites.
    #[serde(rename = "Organic Video")]
    OrganicVideo,
    /// Results of search engines.
    #[serde(rename = "Organic Search")]
    OrganicSearch,
    /// Links in the answers of chatbots.
    #[serde(rename = "AI Assistant")]
    AiAssistant,
    /// Links on other sites.
    Referral,
    /// Links in e-mails.
    Email,
    /// Links of partners who are paid for sales.
    Affiliates,
    /// Ads in audio.
    Audio,
    /// Links in text messages.
    #[serde(rename = "SMS")]
    Sms,
    /// Links in push messages.
    #[serde(rename = "Mobile Push Notifications")]
    Push,
    /// No rule fits.
    Unassigned,
}

impl Channel {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "Direct",
            Self::CrossNetwork => "Cross-network",
            Self::PaidShopping => "Paid Shopping",
            Self::PaidSearch => "Paid Search",
            Self::PaidSocial => "Paid Social",
            Self::PaidVideo => "Paid Video",
            Self::Display => "Display",
            Self::PaidOther => "Paid Other",
            Self::OrganicShopping => "Organic Shopping",
            Self::OrganicSocial => "Organic Social",
            Self::OrganicVideo => "Organic Video",
            Self::OrganicSearch => "Organic Search",
            Self::AiAssistant => "AI Assistant",
            Self::Referral => "Referral",
            Self::Email => "Email",
            Self::Affiliates => "Affiliates",
            Self::Audio => "Audio",
            Self::Sms => "SMS",
            Self::Push => "Mobile Push Notifications",
            Self::Unassigned => "Unassigned",
        }
    }

    /// The channel of an origin.
    #[must_use]
    pub fn of(origin: &Origin) -> Self {
        let source = origin.source.to_lowercase();
        let medium = origin.medium.to_lowercase();
        let campaign = origin.campaign.to_lowercase();
        if source == "(direct)" && matches!(medium.as_str(), "(none)" | "(not set)") {
            return Self::Direct;
        }
        if campaign.contains("cross-network") {
            return Self::CrossNetwork;
        }
        let kind = sites::kind(&source);
        let shopping = kind == Some(Kind::Shopping) || about_shopping(&campaign);
        let paid = is_paid(&medium);
        match (paid, shopping, kind) {
            (true, true, _) => Self::PaidShopping,
            (true, _, Some(Kind::Search)) => Self::PaidSearch,
            (true, _, Some(Kind::Social)) => Self::PaidSocial,
            (true, _, Some(Kind::Video)) => Self::PaidVideo,
            _ if matches!(medium.as_str(), "display" | "banner" | "expandable" | "interstitial" | "cpm") => {
                Self::Display
            }
            (true, ..) => Self::PaidOther,
            (false, true, _) => Self::OrganicShopping,
            _ => Self::unpaid(&source, &medium, kind),
        }
    }

    /// The channel of an origin that is neither paid nor a shopping site.
    fn unpaid(source: &str, medium: &str, kind: Option<Kind>) -> Self {
        const SOCIAL: [&str; 6] = ["social", "social-network", "social-media", "sm", "social network", "social media"];
        const EMAIL: [&str; 4] = ["email", "e-mail", "e_mail", "e mail"];
        match medium {
            _ if kind == Some(Kind::Social) || SOCIAL.contains(&medium) => Self::OrganicSocial,
            _ if kind == Some(Kind::Video) || medium.contains("video") => Self::OrganicVideo,
            _ if kind == Some(Kind::Search) || medium == "organic" => Self::OrganicSearch,
            _ if kind == Some(Kind::Assistant) || medium == "ai-assistant" => Self::AiAssistant,
            "referral" | "app" | "link" => Self::Referral,
            _ if EMAIL.contains(&source) || EMAIL.contains(&medium) => Self::Email,
            "affiliate" => Self::Affiliates,
            "audio" => Self::Audio,
            _ if source == "sms" || medium == "sms" => Self::Sms,
            _ if source == "firebase" || is_push(medium) => Self::Push,
            _ => Self::Unassigned,
        }
    }
}

/// `^(.*cp.*|ppc|retargeting|paid.*)$`
fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || matches!(medium, "ppc" | "retargeting") || medium.starts_with("paid")
}

/// `^(.*(([^a-df-z]|^)shop|shopping).*)$`: the word, not the end of another one such as *workshop*.
fn about_shopping(campaign: &str) -> bool {
    let begins = |(at, _): (usize, &str)| {
        let before = campaign.get(..at).and_then(|text| text.chars().next_back());
        before.is_none_or(|c| c == 'e' || !c.is_ascii_lowercase())
    };
    campaign.contains("shopping") || campaign.match_indices("shop").any(begins)
}

fn is_push(medium: &str) -> bool {
    medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn channel(source: &str, medium: &str, campaign: &str) -> Channel {
        Channel::of(&Origin { source: source.into(), medium: medium.into(), campaign: campaign.into() })
    }

    #[test]
    fn a_channel_has_one_name_in_conditions_and_profiles() {
        let names = json!([
            "Direct",
            "Cross-network",
            "Paid Search",
            "Organic Search",
            "AI Assistant",
            "SMS",
            "Mobile Push Notifications",
            "Unassigned"
        ]);
        for name in names.as_array().unwrap() {
            let channel: Channel = serde_json::from_value(name.clone()).unwrap();
            assert_eq!(channel.as_str(), name);
        }
    }

    #[test]
    fn the_published_rules_in_their_order() {
        let cases = [
            ("(direct)", "(none)", "", Channel::Direct),
            ("google", "cpc", "summer Cross-network", Channel::CrossNetwork),
            ("google", "cpc", "Brand Shopping", Channel::PaidShopping),
            ("amazon.de", "cpc", "", Channel::PaidShopping),
            ("google", "cpc", "workshop", Channel::PaidSearch),
            ("bing", "PPC", "", Channel::PaidSearch),
            ("facebook", "paid_social", "", Channel::PaidSocial),
            ("instagram.com", "retargeting", "", Channel::PaidSocial),
            ("youtube.com", "cpv", "", Channel::PaidVideo),
            ("partner", "cpm", "", Channel::Display),
            ("partner", "banner", "", Channel::Display),
            ("partner", "cpc", "", Channel::PaidOther),
            ("idealo.de", "referral", "", Channel::OrganicShopping),
            ("newsletter", "email", "eshop", Channel::OrganicShopping),
            ("m.facebook.com", "referral", "", Channel::OrganicSocial),
            ("partner", "social-media", "", Channel::OrganicSocial),
            ("youtube.com", "referral", "", Channel::OrganicVideo),
            ("tv", "video_ad", "", Channel::OrganicVideo),
            ("duckduckgo.com", "organic", "", Channel::OrganicSearch),
            ("claude.ai", "ai-assistant", "", Channel::AiAssistant),
            ("chatgpt.com", "cpc", "", Channel::PaidOther),
            ("blog.example", "referral", "", Channel::Referral),
            ("newsletter", "E-Mail", "spring", Channel::Email),
            ("email", "", "", Channel::Email),
            ("awin", "affiliate", "", Channel::Affiliates),
            ("spotify", "audio", "", Channel::Audio),
            ("sms", "", "", Channel::Sms),
            ("shop", "web_push", "", Channel::Push),
            ("firebase", "x", "", Channel::Push),
            ("partner", "(not set)", "", Channel::Unassigned),
        ];
        for (source, medium, campaign, expected) in cases {
            let found = channel(source, medium, campaign);
            assert_eq!(found, expected, "{source} / {medium} / {campaign}");
        }
    }

    #[test]
    fn channels_have_the_names_of_the_reports() {
        let name = |channel| serde_json::to_value(channel).unwrap();
        assert_eq!(name(Channel::Push), "Mobile Push Notifications");
        assert_eq!(name(Channel::CrossNetwork), "Cross-network");
        assert_eq!(name(Channel::Sms), "SMS");
        assert_eq!(name(Channel::AiAssistant), "AI Assistant");
    }
}
