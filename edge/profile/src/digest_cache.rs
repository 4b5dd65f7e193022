//! Digests of the person that was completed last, so that browsers which come by turns do not have all of them read each time.
//!
//! What is known holds as long as the profile's head lies there as it was written with it. A transaction that was rolled back
//! leaves another head, so nothing has to be told of that.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use endcap_identity::FragmentId;
use endcap_protocol::ProfileId;

use crate::digest::Digest;

/// Most digests that are kept. A person of more has them read.
const MOST: usize = 1000;
/// Most bytes that they have packed.
const MOST_BYTES: usize = 1024 * 1024;

/// Digests of a person.
#[derive(Debug, Default)]
pub struct DigestCache(RefCell<Option<Known>>);

#[derive(Debug)]
struct Known {
    profile: ProfileId,
    head: Vec<u8>,
    digests: Arc<BTreeMap<FragmentId, Digest>>,
}

impl DigestCache {
    /// The digests that belong to a head.
    pub(crate) fn get(&self, profile: &ProfileId, head: &[u8]) -> Option<Arc<BTreeMap<FragmentId, Digest>>> {
        let held = self.0.borrow();
        let known = held.as_ref().filter(|known| known.profile == *profile && known.head == head)?;
        Some(Arc::clone(&known.digests))
    }

    /// Keeps the digests that belong to a head.
    pub(crate) fn keep(&self, profile: &ProfileId, head: &[u8], digests: Arc<BTreeMap<FragmentId, Digest>>) {
        self.0.replace(Some(Known { profile: profile.clone(), head: head.to_owned(), digests }));
    }

    /// Notes what changed from one head to the next.
    pub(crate) fn change(
        &self,
        profile: &ProfileId,
        (before, after): (&[u8], &[u8]),
        changed: impl Iterator<Item = (FragmentId, Option<Digest>)>,
    ) {
        let mut held = self.0.borrow_mut();
        let Some(known) = held.as_mut().filter(|known| known.profile == *profile) else { return };
        // Were a change rolled back that leaves the head as it is, nothing would tell.
        if known.head != before || before == after {
            *held = None;
            return;
        }
        let digests = Arc::make_mut(&mut known.digests);
        for (id, digest) in changed {
            match digest {
                Some(digest) => drop(digests.insert(id, digest)),
                None => drop(digests.remove(&id)),
            }
        }
        known.head = after.to_owned();
        if digests.len() > MOST {
            *held = None;
        }
    }

    /// Whether so many digests with so many bytes may be kept.
    pub(crate) fn has_room(count: usize, bytes: usize) -> bool {
        count <= MOST && bytes <= MOST_BYTES
    }

    /// Forgets everything: rows were written otherwise.
    pub fn clear(&self) {
        self.0.take();
    }
}
