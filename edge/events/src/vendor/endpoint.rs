//! The routes of the two APIs.

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

/// What a route does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// Takes one call.
    Call(CallType),
    /// Takes many calls.
    Batch,
    /// Takes a client's figures about itself, which nobody here reads.
    Metrics,
    /// What analytics-next reads before it starts, by write key, as it stands in the path.
    Settings(String),
    /// What RudderStack's clients read before they start.
    SourceConfig,
}

impl Endpoint {
    /// The endpoint at a path of the server's host; None: it is none of these.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        let path = path.strip_suffix('/').unwrap_or(path);
        if path == "/sourceConfig" {
            return Some(Self::SourceConfig);
        }
        if path == "/beacon/v1/batch" {
            return Some(Self::Batch);
        }
        let name = path.strip_prefix("/v1/")?;
        if let Some(key) = name.strip_prefix("projects/").and_then(|rest| rest.strip_suffix("/settings")) {
            let plain = !key.is_empty() && !key.contains('/');
            return plain.then(|| Self::Settings(key.to_owned()));
        }
        Some(match name {
            "batch" | "b" | "import" => Self::Batch,
            "m" => Self::Metrics,
            "t" => Self::Call(CallType::Track),
            "i" => Self::Call(CallType::Identify),
            "p" => Self::Call(CallType::Page),
            "s" => Self::Call(CallType::Screen),
            "g" => Self::Call(CallType::Group),
            "a" => Self::Call(CallType::Alias),
            name => Self::Call(CallType::parse(name)?),
        })
    }

    /// Whether the endpoint takes bodies; the others are read.
    #[must_use]
    pub fn takes_body(&self) -> bool {
        matches!(self, Self::Call(_) | Self::Batch | Self::Metrics)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_paths_mean_the_same() {
        for (long, short) in [
            ("track", "t"),
            ("identify", "i"),
            ("page", "p"),
            ("screen", "s"),
            ("group", "g"),
            ("alias", "a"),
            ("batch", "b"),
        ] {
            let [long, short] = [long, short].map(|name| Endpoint::of(&format!("/v1/{name}")));
            assert!(long.is_some());
            assert_eq!(long, short);
        }
        assert_eq!(Endpoint::of("/v1/projects/k%2d1/settings"), Some(Endpoint::Settings("k%2d1".to_owned())));
        assert_eq!(Endpoint::of("/sourceConfig/"), Some(Endpoint::SourceConfig));
        assert_eq!(Endpoint::of("/beacon/v1/batch"), Some(Endpoint::Batch));
    }

    #[test]
    fn other_paths_are_not_taken() {
        for path in [
            "/",
            "/v1",
            "/v1/",
            "/v1/x",
            "/v1/webhooks/shop",
            "/v1/projects//settings",
            "/v1/projects/a/b/settings",
            "/v2/track",
        ] {
            assert_eq!(Endpoint::of(path), None, "{path}");
        }
    }
}
