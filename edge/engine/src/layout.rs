//! How a deployment's data is laid out over its objects.
//!
//! Role in the flow of one event: before the first one. Both settings decide which objects are asked; with others the
//! same requests would find empty objects, and write into them. So the layout that data was written with is remembered,
//! and a deployment that is set differently is refused.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::EngineError;

/// The number of profile objects, and where the objects live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Profile objects, 1 to 1024 (`ENDCAP_SHARDS`).
    pub shards: u16,
    /// Jurisdiction of all objects, such as `eu` (`ENDCAP_JURISDICTION`); None: wherever the platform puts them.
    #[serde(default)]
    pub jurisdiction: Option<String>,
}

impl Layout {
    /// Refuses to go on with this layout where the data was written with another one.
    ///
    /// # Errors
    /// [`EngineError::Layout`].
    pub fn check(&self, written: Option<&Self>) -> Result<(), EngineError> {
        match written {
            Some(written) if written != self => {
                Err(EngineError::Layout { set: self.to_string(), written: written.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jurisdiction = self.jurisdiction.as_deref().unwrap_or("none");
        write!(f, "ENDCAP_SHARDS={}, ENDCAP_JURISDICTION={jurisdiction}", self.shards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shards: u16, jurisdiction: Option<&str>) -> Layout {
        Layout { shards, jurisdiction: jurisdiction.map(str::to_owned) }
    }

    #[test]
    fn only_the_layout_that_the_data_was_written_with_is_taken() {
        let written = layout(16, Some("eu"));
        assert_eq!(written.check(None), Ok(()));
        assert_eq!(written.check(Some(&written)), Ok(()));
        for other in [layout(8, Some("eu")), layout(16, None), layout(16, Some("us"))] {
            let error = other.check(Some(&written)).unwrap_err();
            assert_eq!((error.code(), error.status()), ("wrong_layout", 503));
            let text = error.to_string();
            assert!(text.contains(&other.to_string()) && text.contains("ENDCAP_SHARDS=16, ENDCAP_JURISDICTION=eu"));
        }
    }
}
