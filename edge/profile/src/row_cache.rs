//! Packed rows that were read or written a moment ago: who sends a batch has most often just sent one.
//!
//! What lies here is what the database has, as long as whoever writes says so. A transaction that was rolled back undoes what
//! was noted since, so rows carry the number of such transactions and count only while that is the same.

use std::cell::RefCell;

use endcap_protocol::ProfileId;
use lru::LruCache;

/// Most bytes that are kept, of rows and names: those of some hundred visitors who are there at the same time.
const MOST_BYTES: usize = 1024 * 1024;
/// The largest row that is kept.
const LARGEST: usize = MOST_BYTES / 16;

/// Packed rows by profile; those that nobody asked for the longest go first.
#[derive(Debug)]
pub struct RowCache(RefCell<Held>);

#[derive(Debug)]
struct Held {
    rows: LruCache<String, Vec<u8>>,
    bytes: usize,
    /// Transactions that were rolled back before these rows were kept.
    undone: u64,
}

impl Default for RowCache {
    fn default() -> Self {
        Self(RefCell::new(Held { rows: LruCache::unbounded(), bytes: 0, undone: 0 }))
    }
}

impl Held {
    fn forget(&mut self, profile: &str) {
        if let Some(row) = self.rows.pop(profile) {
            self.bytes -= weight(profile, &row);
        }
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }

    /// Forgets everything if a transaction was rolled back since.
    fn follow(&mut self, undone: u64) {
        if self.undone != undone {
            self.clear();
            self.undone = undone;
        }
    }
}

fn weight(profile: &str, row: &[u8]) -> usize {
    profile.len() + row.len()
}

impl RowCache {
    /// The row of a profile, if it is known. `undone` is how many transactions were rolled back so far.
    pub fn get(&self, profile: &ProfileId, undone: u64) -> Option<Vec<u8>> {
        let mut held = self.0.borrow_mut();
        held.follow(undone);
        held.rows.get(profile.as_str()).cloned()
    }

    /// Notes a row as it was read or written.
    pub fn keep(&self, profile: &str, row: &[u8], undone: u64) {
        let mut held = self.0.borrow_mut();
        held.follow(undone);
        held.forget(profile);
        if row.len() > LARGEST {
            return;
        }
        held.bytes += weight(profile, row);
        held.rows.put(profile.to_owned(), row.to_vec());
        while held.bytes > MOST_BYTES {
            let Some((name, row)) = held.rows.pop_lru() else { break };
            held.bytes -= weight(&name, &row);
        }
    }

    /// Notes that a row was deleted.
    pub fn forget(&self, profile: &str) {
        self.0.borrow_mut().forget(profile);
    }

    /// Forgets everything: rows were written otherwise.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn profile(id: &str) -> ProfileId {
        ProfileId::parse(id).unwrap()
    }

    #[test]
    fn a_row_is_known_until_it_is_written_deleted_or_undone() {
        let cache = RowCache::default();
        cache.keep("a", b"1", 0);
        cache.keep("b", b"2", 0);
        cache.keep("a", b"3", 0);
        assert_eq!(cache.get(&profile("a"), 0), Some(b"3".to_vec()));
        cache.forget("a");
        assert_eq!((cache.get(&profile("a"), 0), cache.get(&profile("b"), 0)), (None, Some(b"2".to_vec())));
        assert_eq!(cache.get(&profile("b"), 1), None, "a transaction was rolled back");
        cache.keep("b", b"4", 1);
        cache.clear();
        assert_eq!(cache.get(&profile("b"), 1), None);
    }

    proptest! {
        #[test]
        fn what_is_known_was_written_last_and_has_bounds(
            steps in proptest::collection::vec((0_u8..24, 0_usize..2 * LARGEST, 0_u8..8), 1..60),
        ) {
            let (cache, mut undone) = (RowCache::default(), 0);
            let mut written = std::collections::BTreeMap::new();
            for (name, size, what) in steps {
                let name = format!("profile-{name}");
                match what {
                    0 => { undone += 1; written.clear(); }
                    1 => { cache.forget(&name); written.remove(&name); }
                    _ => {
                        let row = vec![what; size];
                        cache.keep(&name, &row, undone);
                        written.insert(name.clone(), row);
                    }
                }
                let held = cache.get(&profile(&name), undone);
                prop_assert_eq!(held.is_some(), written.get(&name).is_some_and(|row| row.len() <= LARGEST));
                for (name, row) in &written {
                    prop_assert!(cache.get(&profile(name), undone).is_none_or(|held| held == *row));
                }
                prop_assert!(cache.0.borrow().bytes <= MOST_BYTES);
                let sum: usize = cache.0.borrow().rows.iter().map(|(name, row)| weight(name, row)).sum();
                prop_assert_eq!(sum, cache.0.borrow().bytes);
            }
        }
    }
}
