//! How a visitor's consent changed: the record that a shop has to be able to show.

use endcap_events::ingest::consent::ConsentSource;
use endcap_protocol::{Consent, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::bounded::keep_latest;

/// Changes kept per browser.
pub const MAX_CONSENTS: usize = 20;

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentRecord {
    /// When, on the edge's clock.
    pub at: UnixMillis,
    /// What holds from then on, as [`Consent::bits`].
    bits: u8,
    /// Who said so.
    pub source: ConsentSource,
}

impl ConsentRecord {
    /// What holds from then on.
    #[must_use]
    pub fn consent(&self) -> Consent {
        Consent::from_bits(self.bits)
    }
}

/// Notes a change; the oldest of more than twenty goes.
pub(super) fn note(history: &mut Vec<ConsentRecord>, consent: Consent, source: ConsentSource, at: UnixMillis) {
    history.push(ConsentRecord { at, bits: consent.bits(), source });
    keep_latest(history, MAX_CONSENTS);
}
