//! What the engine refuses, and the stable codes that clients rely on.

use endcap_api::{ErrorCode, Method};
use endcap_protocol::FieldError;

/// Why a request as a whole, or a stored value, could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// A field of a request is wrong.
    #[error("{0}")]
    Field(FieldError),
    /// The body is no JSON, or not of the expected shape.
    #[error("the body is not the JSON that this route takes: {0}")]
    Json(String),
    /// The body is over its bound.
    #[error("the body is over {limit} bytes; send fewer events per batch")]
    TooLarge {
        /// The bound in bytes.
        limit: usize,
    },
    /// A stored row cannot be read: it was written by a newer version, or is damaged.
    #[error("stored {what} is of format {format}, which this version does not read; deploy the newer version again")]
    Format {
        /// What kind of row.
        what: &'static str,
        /// The format byte found.
        format: u8,
    },
    /// The thing asked for does not exist.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// What a field of the request names does not exist.
    #[error("{0}")]
    Unknown(FieldError),
    /// Credentials are missing or wrong.
    #[error("send the server key as `Authorization: Bearer <key>`")]
    Unauthorized,
    /// A webhook's signature is not believed.
    #[error("{0}")]
    Signature(&'static str),
    /// The write key is missing, or nobody's.
    #[error("send a write key that this deployment knows: a source's name, or one of ENDCAP_SERVER_KEYS")]
    WriteKey,
    /// The origin may not send to this source.
    #[error(
        "origin {0} is not one of the source's origins; add it to ENDCAP_SOURCES (in development: \
         `cargo xtask dev --source NAME={0}`)"
    )]
    Forbidden(String),
    /// The route exists, the method does not.
    #[error("this route takes {}", listed(.0))]
    Method(Vec<Method>),
    /// The content type is not taken.
    #[error("send application/json or text/plain")]
    MediaType,
    /// The client, or its source, sent more than it may.
    #[error("too many requests; try again after {} s", .after_ms.saturating_add(999) / 1000)]
    RateLimited {
        /// When there will be room, in milliseconds from now.
        after_ms: i64,
    },
    /// The deployment is set to another layout of its objects than its data has.
    #[error("this deployment is set to {set}, but its data was written with {written}; set it back, then deploy again")]
    Layout {
        /// The layout that is set.
        set: String,
        /// The layout that the data has.
        written: String,
    },
    /// The profile's bucket is moving to another shard; the request can be tried again at once.
    #[error("the profile is being moved to another shard; try again")]
    Moving,
    /// The anonymous ID is not the sender's.
    #[error(
        "the anonymous ID is bound to a token that this request does not show; send a batch first, and take the new ID that it names"
    )]
    Unverified,
    /// The anonymous ID's token is newer than the request.
    #[error("the anonymous ID got a new token while this request was under way; send it again")]
    NewToken,
    /// The part of the edge that was asked runs another version, which does not know the question.
    #[error(
        "another version of the edge is being deployed, and one part does not know the other's question; try again"
    )]
    Deploying,
    /// Something of ours failed; the request can be tried again.
    #[error("the request failed at the edge and was not kept; try again")]
    Internal(String),
}

impl DomainError {
    /// The stable code for clients.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.error_code().as_str()
    }

    fn error_code(&self) -> ErrorCode {
        match self {
            Self::Field(_) => ErrorCode::InvalidField,
            Self::Json(_) => ErrorCode::InvalidJson,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::Format { .. } => ErrorCode::UnreadableRow,
            Self::NotFound(_) | Self::Unknown(_) => ErrorCode::NotFound,
            Self::Unauthorized => ErrorCode::Unauthorized,
            Self::WriteKey => ErrorCode::UnknownWriteKey,
            Self::Signature(_) => ErrorCode::InvalidSignature,
            Self::Forbidden(_) => ErrorCode::ForbiddenOrigin,
            Self::Method(_) => ErrorCode::MethodNotAllowed,
            Self::MediaType => ErrorCode::UnsupportedMediaType,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::Layout { .. } => ErrorCode::WrongLayout,
            Self::Moving => ErrorCode::Moving,
            Self::Unverified => ErrorCode::Unverified,
            Self::NewToken => ErrorCode::NewToken,
            Self::Deploying => ErrorCode::Deploying,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Field(_) | Self::Json(_) => 400,
            Self::Unauthorized | Self::WriteKey | Self::Signature(_) => 401,
            Self::Forbidden(_) | Self::Unverified => 403,
            Self::NotFound(_) | Self::Unknown(_) => 404,
            Self::Method(_) => 405,
            Self::TooLarge { .. } => 413,
            Self::MediaType => 415,
            Self::RateLimited { .. } => 429,
            Self::Format { .. } => 500,
            Self::Layout { .. } | Self::Moving | Self::NewToken | Self::Deploying | Self::Internal(_) => 503,
        }
    }

    /// Seconds after which to try again, where that is worth it.
    #[must_use]
    pub fn retry_after(&self) -> Option<i64> {
        match self {
            Self::RateLimited { after_ms } => Some(after_ms.saturating_add(999) / 1000),
            Self::Layout { .. } => Some(60),
            Self::Moving | Self::NewToken => Some(1),
            Self::Deploying | Self::Internal(_) => Some(5),
            _ => None,
        }
    }

    /// The methods that the route takes, for the header `Allow` (RFC 9110 §15.5.6), where another one was refused.
    #[must_use]
    pub fn allow(&self) -> Option<String> {
        let Self::Method(methods) = self else { return None };
        Some(names(methods).join(", "))
    }

    /// The path of the wrong field, where there is one.
    #[must_use]
    pub fn path(&self) -> &str {
        if let Self::Field(field) | Self::Unknown(field) = self { &field.path } else { "" }
    }

    /// What is wrong with a request's JSON: a field of the wrong type has a path, a text that is no JSON has none.
    #[must_use]
    pub fn of_json(error: serde_path_to_error::Error<serde_json::Error>) -> Self {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data() && path != "." {
            FieldError::new(path, error.to_string()).into()
        } else {
            Self::Json(error.to_string())
        }
    }

    /// The JSON body of the answer: `{"error":{"code","message","path"}}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let message =
            if let Self::Field(field) | Self::Unknown(field) = self { field.message.clone() } else { self.to_string() };
        serde_json::json!({"error": {"code": self.code(), "message": message, "path": self.path()}}).to_string()
    }
}

impl From<FieldError> for DomainError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

/// Names of methods, each once.
fn names(methods: &[Method]) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = methods.iter().map(|method| method.as_str()).collect();
    names.dedup();
    names
}

/// Methods as a person lists them.
fn listed(methods: &[Method]) -> String {
    let names = names(methods);
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_listed_for_people_and_for_clients() {
        let error = DomainError::Method(vec![Method::Get, Method::Put, Method::Delete]);
        assert_eq!(error.to_string(), "this route takes GET, PUT and DELETE");
        assert_eq!(error.allow().as_deref(), Some("GET, PUT, DELETE"));
        assert_eq!(DomainError::Method(vec![Method::Post]).to_string(), "this route takes POST");
        assert_eq!(DomainError::Moving.allow(), None);
    }
}
