//! Methods of HTTP (RFC 9110 §9), as far as routes take them.

/// What a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// `GET`.
    Get,
    /// `GET`, and `HEAD` for the same without a body.
    GetOrHead,
    /// `PUT`.
    Put,
    /// `POST`.
    Post,
    /// `DELETE`.
    Delete,
}

impl Method {
    /// The method's name; of `GET` and `HEAD` the first.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get | Self::GetOrHead => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// Whether a request's method is this one.
    #[must_use]
    pub fn takes(self, given: &str) -> bool {
        given == self.as_str() || (self == Self::GetOrHead && given == "HEAD")
    }
}
