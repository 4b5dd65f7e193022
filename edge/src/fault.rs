//! Errors of this crate: the engine's, and the platform's.

use endcap_protocol::FieldError;
use endcap_validation::EngineError;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The request is wrong, or names what is not there.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The platform refused an operation.
    #[error("platform: {0}")]
    Platform(#[from] worker::Error),
    /// Another object answered something unexpected.
    #[error("{object} answered {status}")]
    Object {
        /// Which object.
        object: String,
        /// What it answered.
        status: u16,
    },
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        Self::Engine(EngineError::Internal(error.to_string()))
    }
}

impl From<wasm_bindgen::JsValue> for Fault {
    fn from(value: wasm_bindgen::JsValue) -> Self {
        Self::Platform(value.into())
    }
}

impl Fault {
    /// The error to answer with. What the platform said stays in the log.
    pub(crate) fn to_engine(&self) -> EngineError {
        match self {
            Self::Engine(error) => error.clone(),
            Self::Platform(_) | Self::Object { .. } => EngineError::Internal(self.to_string()),
        }
    }
}
