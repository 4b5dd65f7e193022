//! Compaction: a fragment that takes too much room gives up detail, the oldest first. What it counted stays.

use endcap_validation::{DomainError, Trust};

use crate::bounded::{keep_greatest, keep_latest};
use crate::fragment::Fragment;

/// Bytes that all fragments of a person may take together, as long as each has [`LEAST_BYTES`].
const PERSON_BYTES: usize = 8 * 1024 * 1024;
/// Bytes that a fragment may take however many the person has: nearly those of a usual busy browser.
const LEAST_BYTES: usize = 8 * 1024;
/// Bytes that a fragment may take however few the person has. Rows of SQLite in Durable Objects have at most 2 MB.
const MOST_BYTES: usize = 256 * 1024;
/// Entries of each list that are kept, step by step, until the fragment is small enough.
const STEPS: [usize; 4] = [20, 8, 3, 1];
/// Orders and lines of the cart that are kept for each of those entries, and orders at least: they are worth more.
const LINES: usize = 5;
const ORDERS: usize = 20;

/// Bytes that one of so many fragments may take.
#[must_use]
pub fn budget(fragments: usize) -> usize {
    (PERSON_BYTES / fragments.max(1)).clamp(LEAST_BYTES, MOST_BYTES)
}

impl Fragment {
    /// A copy that takes at most so many bytes, or as few as compaction reaches; None where the fragment itself does.
    ///
    /// Lists of what happened, and of what was said without proof, are cut to their latest entries. Counters, consent, proofs and
    /// message IDs stay, so that nothing is counted twice, and nobody is taken for somebody else.
    ///
    /// # Errors
    /// Never in practice; the serialiser's own failure is passed on.
    pub fn compacted(&self, bytes: usize) -> Result<Option<Self>, DomainError> {
        let mut copy: Option<Self> = None;
        for keep in STEPS {
            if copy.as_ref().unwrap_or(self).packed_len()? <= bytes {
                break;
            }
            copy.get_or_insert_with(|| self.clone()).cut(keep);
        }
        Ok(copy)
    }

    fn packed_len(&self) -> Result<usize, DomainError> {
        let packed = postcard::to_allocvec(self).map_err(|error| DomainError::Internal(error.to_string()))?;
        Ok(packed.len())
    }

    /// Keeps so many entries of each list.
    fn cut(&mut self, keep: usize) {
        keep_latest(&mut self.events, keep);
        keep_latest(&mut self.impressions, keep);
        keep_latest(&mut self.orders, keep.saturating_mul(LINES).max(ORDERS));
        keep_latest(&mut self.pushes, keep);
        keep_latest(&mut self.claims, keep);
        keep_latest(&mut self.consents, keep);
        keep_latest(&mut self.behaviour.cart.lines, keep.saturating_mul(LINES));
        self.touches.keep(keep);
        self.behaviour.keep_viewed(keep);
        self.behaviour.seen.keep(keep);
        keep_greatest(&mut self.traits, keep, |(at, _), (other, _)| at.cmp(other));
        self.cut_claims(keep);
    }

    /// Keeps so many claims among the evidence, the latest, and all facts.
    fn cut_claims(&mut self, keep: usize) {
        let claims = self.said.iter().filter(|evidence| evidence.trust == Trust::Claim).count();
        let mut surplus = claims.saturating_sub(keep);
        self.said.retain(|evidence| {
            let goes = evidence.trust == Trust::Claim && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}
