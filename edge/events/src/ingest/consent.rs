//! Where a visitor's consent comes from, and what Global Privacy Control takes from it.

use endcap_protocol::Consent;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who said what the visitor consents to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// The shop called `consent()`, or does not say.
    #[default]
    Api,
    /// The shop's consent banner.
    Banner,
    /// The IAB Transparency and Consent Framework.
    Tcf,
    /// Google Consent Mode.
    Gcm,
    /// The browser's Global Privacy Control.
    Gpc,
}

impl ConsentSource {
    /// The source of a name on the wire. A name that is not known counts as the shop's call.
    #[must_use]
    pub fn parse(name: &str) -> Self {
        match name {
            "banner" => Self::Banner,
            "tcf" => Self::Tcf,
            "gcm" => Self::Gcm,
            "gpc" => Self::Gpc,
            _ => Self::Api,
        }
    }

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Banner => "banner",
            Self::Tcf => "tcf",
            Self::Gcm => "gcm",
            Self::Gpc => "gpc",
        }
    }
}

/// A consent, and who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stated {
    /// What was agreed to.
    pub consent: Consent,
    /// By whom it was told.
    pub source: ConsentSource,
}

impl Stated {
    /// Takes what the browser's privacy signal refuses out of a stated consent. Without a statement the result is none,
    /// unless the signal refuses everything.
    #[must_use]
    pub fn limit(said: Option<Self>, gpc: Gpc) -> Option<Self> {
        let gone = Self { consent: Consent::DENIED, source: ConsentSource::Gpc };
        let Some(said) = said else { return (gpc == Gpc::Analytics).then_some(gone) };
        let left = gpc.limit(said.consent);
        Some(if left == said.consent { said } else { Self { consent: left, source: ConsentSource::Gpc } })
    }
}

/// What the header `Sec-GPC: 1` (Global Privacy Control, W3C) refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gpc {
    /// Marketing: messages after the visit are what the signal is about.
    #[default]
    Marketing,
    /// Everything.
    Analytics,
}

impl Gpc {
    /// The scope that a deployment sets: `analytics`, or marketing alone.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "analytics" { Self::Analytics } else { Self::Marketing }
    }

    /// The setting's text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Analytics => "analytics",
        }
    }

    /// What is left of a consent.
    #[must_use]
    pub fn limit(self, consent: Consent) -> Consent {
        match self {
            Self::Marketing => Consent { marketing: false, ..consent },
            Self::Analytics => Consent::DENIED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_and_others_are_the_shops_call() {
        for name in ["api", "banner", "tcf", "gcm", "gpc"] {
            assert_eq!(ConsentSource::parse(name).as_str(), name);
        }
        assert_eq!(ConsentSource::parse("telepathy"), ConsentSource::Api);
    }

    #[test]
    fn the_signal_only_ever_takes_away() {
        for bits in 0..8 {
            let consent = Consent::from_bits(bits);
            for gpc in [Gpc::Marketing, Gpc::Analytics] {
                let left = gpc.limit(consent);
                assert_eq!(left, left.stricter(consent));
                assert!(!left.marketing);
            }
        }
        let banner = Stated { consent: Consent::GRANTED, source: ConsentSource::Banner };
        assert_eq!(Stated::limit(None, Gpc::Marketing), None);
        assert_eq!(Stated::limit(None, Gpc::Analytics).map(|said| said.consent), Some(Consent::DENIED));
        let left = Stated::limit(Some(banner), Gpc::Marketing).unwrap();
        assert_eq!((left.consent.analytics, left.consent.marketing, left.source), (true, false, ConsentSource::Gpc));
        let unmarketed = Stated { consent: left.consent, source: ConsentSource::Banner };
        assert_eq!(Stated::limit(Some(unmarketed), Gpc::Marketing), Some(unmarketed));
        assert!(Gpc::parse("").limit(Consent::GRANTED).analytics);
        assert!(!Gpc::parse("analytics").limit(Consent::GRANTED).analytics);
    }
}
