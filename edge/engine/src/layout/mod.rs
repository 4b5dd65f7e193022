//! How a deployment's data is laid out over its objects.
//!
//! Role in the flow of one event: before the first one. The layout decides which objects the edge asks. Its number of
//! profile objects counts only when the first data is written. From then on the [`Placement`] says where buckets are,
//! and moving buckets changes the number. The jurisdiction of the objects and the number of graph parts cannot change:
//! the same requests would find empty objects and write into them. So the edge refuses a deployment that changes
//! either.

pub mod bucket_state;
pub mod growth;
pub mod placement;

use std::fmt;

pub use bucket_state::{BucketOwner, BucketState};
use endcap_validation::DomainError;
pub use placement::Placement;
use serde::{Deserialize, Serialize};

/// The number of profile objects, and where the objects live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Profile objects to begin with, 1 to 1024 (`ENDCAP_SHARDS`).
    pub shards: u16,
    /// Jurisdiction of all objects, such as `eu` (`ENDCAP_JURISDICTION`); None: wherever the platform puts them.
    #[serde(default)]
    pub jurisdiction: Option<String>,
    /// Parts of the identity graph, 1 to 256 (`ENDCAP_GRAPH_PARTITIONS`).
    #[serde(default = "one")]
    pub graph_partitions: u16,
}

fn one() -> u16 {
    1
}

impl Layout {
    /// What cannot change.
    fn place(&self) -> (Option<&str>, u16) {
        (self.jurisdiction.as_deref(), self.graph_partitions)
    }

    /// Refuses to go on with this layout where the data lives elsewhere.
    ///
    /// # Errors
    /// [`DomainError::Layout`].
    pub fn check(&self, written: Option<&Self>) -> Result<(), DomainError> {
        match written {
            Some(written) if written.place() != self.place() => {
                Err(DomainError::Layout { set: self.to_string(), written: written.to_string() })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jurisdiction = self.jurisdiction.as_deref().unwrap_or("none");
        write!(f, "ENDCAP_JURISDICTION={jurisdiction}, ENDCAP_GRAPH_PARTITIONS={}", self.graph_partitions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(shards: u16, jurisdiction: Option<&str>) -> Layout {
        Layout { shards, jurisdiction: jurisdiction.map(str::to_owned), graph_partitions: 1 }
    }

    #[test]
    fn data_is_only_looked_for_where_it_lives() {
        let written = layout(16, Some("eu"));
        for set in [layout(16, Some("eu")), layout(8, Some("eu"))] {
            assert_eq!(set.check(None), Ok(()));
            assert_eq!(set.check(Some(&written)), Ok(()));
        }
        let parted = Layout { graph_partitions: 4, ..written.clone() };
        for other in [layout(16, None), layout(16, Some("us")), parted] {
            let error = other.check(Some(&written)).unwrap_err();
            assert_eq!((error.code(), error.status()), ("wrong_layout", 503));
            let text = error.to_string();
            assert!(text.contains(&other.to_string()) && text.contains("ENDCAP_JURISDICTION=eu"));
        }
    }
}
