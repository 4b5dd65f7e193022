//! Which sessions a fragment met lately.
//!
//! Batches overtake each other: a tab that was closed offline sends its events when the next visit has begun. A session
//! is counted when it is met for the first time, so the count depends on the events only, not on their way.

use endcap_protocol::SessionId;
use endcap_validation::hash::hash;
use serde::{Deserialize, Serialize};

/// Sessions remembered, the latest.
const KNOWN: usize = 16;

/// Sessions met lately, as 64-bit hashes of 8 bytes each.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sessions {
    #[serde(with = "crate::packed::bytes")]
    hashes: Vec<u8>,
}

impl Sessions {
    /// Notes a session; false when it is known already.
    pub fn meet(&mut self, id: &SessionId) -> bool {
        let hash = hash(id.as_str());
        if self.hashes.chunks_exact(hash.len()).any(|held| held == hash) {
            return false;
        }
        self.hashes.extend_from_slice(&hash);
        crate::bounded::keep_latest(&mut self.hashes, KNOWN * hash.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_sixteen_are_known() {
        let mut sessions = Sessions::default();
        let id = |n: usize| SessionId::parse(&format!("s{n}")).unwrap();
        assert!((0..KNOWN + 1).all(|n| sessions.meet(&id(n))));
        assert!((1..KNOWN + 1).all(|n| !sessions.meet(&id(n))));
        assert!(sessions.meet(&id(0)), "the first was forgotten");
    }
}
