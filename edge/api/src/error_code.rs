//! The stable codes of errors, in the answer's `error.code`.

/// Why a request failed. Clients may rely on the word; the message beside it is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorCode {
    /// A field of the request is wrong; `path` says which.
    InvalidField,
    /// The body is no JSON, or not of the expected shape.
    InvalidJson,
    /// The body is over its bound.
    TooLarge,
    /// A stored row was written by a newer version, or is damaged.
    UnreadableRow,
    /// There is no such thing.
    NotFound,
    /// The API key is missing or wrong.
    Unauthorized,
    /// The write key is missing, or nobody's.
    UnknownWriteKey,
    /// A webhook's signature is not believed.
    InvalidSignature,
    /// The page's origin may not send to this source.
    ForbiddenOrigin,
    /// The route takes other methods.
    MethodNotAllowed,
    /// The content type is not taken.
    UnsupportedMediaType,
    /// The client, or its source, sent more than it may.
    RateLimited,
    /// The deployment is set to another layout than its data has.
    WrongLayout,
    /// The profile's bucket is moving; try again at once.
    Moving,
    /// The anonymous ID is bound to a token that the request does not show.
    Unverified,
    /// The anonymous ID got a token while the request was under way; try again.
    NewToken,
    /// Another version of the edge is being deployed; try again.
    Deploying,
    /// Something of the edge failed; try again.
    Internal,
}

impl ErrorCode {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::InvalidField,
        Self::InvalidJson,
        Self::TooLarge,
        Self::UnreadableRow,
        Self::NotFound,
        Self::Unauthorized,
        Self::UnknownWriteKey,
        Self::InvalidSignature,
        Self::ForbiddenOrigin,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
        Self::RateLimited,
        Self::WrongLayout,
        Self::Moving,
        Self::Unverified,
        Self::NewToken,
        Self::Deploying,
        Self::Internal,
    ];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidField => "invalid_field",
            Self::InvalidJson => "invalid_json",
            Self::TooLarge => "too_large",
            Self::UnreadableRow => "unreadable_row",
            Self::NotFound => "not_found",
            Self::Unauthorized => "unauthorized",
            Self::UnknownWriteKey => "unknown_write_key",
            Self::InvalidSignature => "invalid_signature",
            Self::ForbiddenOrigin => "forbidden_origin",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::RateLimited => "rate_limited",
            Self::WrongLayout => "wrong_layout",
            Self::Moving => "moving",
            Self::Unverified => "unverified",
            Self::NewToken => "new_token",
            Self::Deploying => "deploying",
            Self::Internal => "internal",
        }
    }

    /// The code of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_word_of_its_own() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(ErrorCode::parse("other"), None);
    }
}
