//! Messages between routes and objects.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Something that an object is told or asked, as JSON. Sender and receiver read path and types off here.
pub(crate) trait Message: Serialize {
    /// Where the object takes it. Crosses versions during a gradual deployment, so it stays as it is.
    const PATH: &'static str;
    /// What the object answers with status 200.
    type Reply: DeserializeOwned;
}

/// The answer of an object that has nothing to say but that it is done.
#[derive(Debug, Default, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Done {}
