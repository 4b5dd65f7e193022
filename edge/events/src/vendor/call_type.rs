//! The kinds of calls of the two APIs.

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallType {
    /// Something somebody did.
    Track,
    /// Who somebody is.
    Identify,
    /// A page view.
    Page,
    /// A screen of an app.
    Screen,
    /// Which group somebody belongs to.
    Group,
    /// Two names of one person.
    Alias,
}

impl CallType {
    /// Reads the `type` of a call.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "track" => Self::Track,
            "identify" => Self::Identify,
            "page" => Self::Page,
            "screen" => Self::Screen,
            "group" => Self::Group,
            "alias" => Self::Alias,
            _ => return None,
        })
    }

    /// The name that calls have in `type`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }
}
