//! How far a sender is believed.

/// How far a sender is believed when it says who somebody is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Default,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trust {
    /// Anybody can send this: a page, or whoever read its public write key. Who somebody is needs the shop's proof.
    #[default]
    Claim,
    /// The shop's server, by a secret key. What it says about identities is a fact, and it may report events that are
    /// years old.
    Fact,
}

impl Trust {
    /// The word between our own objects.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Fact => "fact",
        }
    }

    /// Reads the word; anything else is a claim.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        if word == Self::Fact.as_str() { Self::Fact } else { Self::Claim }
    }
}
