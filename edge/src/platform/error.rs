//! Errors of this crate: the engine's, and the platform's.

use endcap_protocol::FieldError;
use endcap_validation::DomainError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EdgeError {
    /// The request is wrong, or names what is not there.
    #[error("{}", in_full(.0))]
    Domain(#[from] DomainError),
    /// The platform refused an operation.
    #[error("platform: {0}")]
    Platform(#[from] worker::Error),
    /// The platform has no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
    /// The request failed after the source that it asked was found to list the page's origin: the page may read why.
    #[error("{0}")]
    Readable(Box<EdgeError>),
    /// Another object answered something unexpected.
    #[error("{path} answered {status} {code}")]
    Object {
        /// Where the message went.
        path: &'static str,
        /// The status that came back.
        status: u16,
        /// The code of the error that came back; empty where there was none.
        code: String,
    },
}

/// What the log says: the answer to a client hides why something of ours failed, and the log must not.
fn in_full(error: &DomainError) -> String {
    if let DomainError::Internal(reason) = error { reason.clone() } else { error.to_string() }
}

impl From<FieldError> for EdgeError {
    fn from(error: FieldError) -> Self {
        Self::Domain(error.into())
    }
}

impl From<serde_json::Error> for EdgeError {
    fn from(error: serde_json::Error) -> Self {
        Self::Domain(DomainError::Internal(error.to_string()))
    }
}

impl From<wasm_bindgen::JsValue> for EdgeError {
    fn from(value: wasm_bindgen::JsValue) -> Self {
        Self::Platform(value.into())
    }
}

/// What the platform is told of a failure: of a stream in the middle, or of an alarm. No client sees it.
impl From<EdgeError> for worker::Error {
    fn from(error: EdgeError) -> Self {
        Self::RustError(error.to_string())
    }
}

impl EdgeError {
    /// The same error, which the page that asked may read.
    pub(crate) fn readable(self) -> Self {
        Self::Readable(Box::new(self))
    }

    /// The error to answer with. What the platform said stays in the log.
    pub(crate) fn to_domain(&self) -> DomainError {
        match self {
            Self::Domain(error) => error.clone(),
            Self::Readable(error) => error.to_domain(),
            Self::Platform(_) | Self::Random(_) | Self::Object { .. } => DomainError::Internal(self.to_string()),
        }
    }
}
