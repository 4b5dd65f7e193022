//! A small ordered map, and sorting of small lists.
//!
//! What is kept of a visitor is a few dozen entries, and every page loads this code: the standard library's trees and
//! sorts would cost it 16 KB (brotli) for a speed that no one can notice at this size.

/// A map from text, kept in the order of its keys, so that its form never depends on how it was built. Meant for at most
/// some dozens of entries: finding one is a binary search, adding one moves what lies behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<V> {
    entries: Vec<(String, V)>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<V: Default> Table<V> {
    /// Makes a table of entries in any order; of equal keys the last one counts.
    #[must_use]
    pub fn from_entries(entries: Vec<(String, V)>) -> Self {
        let mut table = Self::default();
        for (key, value) in entries {
            *table.entry(&key) = value;
        }
        table
    }

    /// The value of `key`, made if it is new.
    ///
    /// # Panics
    /// Never: the place is the one that was just found or filled.
    pub fn entry(&mut self, key: &str) -> &mut V {
        let at = match self.find(key) {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, (key.to_owned(), V::default()));
                at
            }
        };
        #[allow(clippy::indexing_slicing, reason = "found or inserted in the line above")]
        &mut self.entries[at].1
    }
}

impl<V> Table<V> {
    fn find(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(held, _)| held.as_str().cmp(key))
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entries.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// Takes `key` out.
    pub fn remove(&mut self, key: &str) {
        if let Ok(at) = self.find(key) {
            self.entries.remove(at);
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&String, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The values in the order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }
}

/// Sorts a small list by insertion; equal items keep their order.
pub fn sort_small<T>(list: &mut [T], before: impl Fn(&T, &T) -> bool) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && matches!((list.get(at), list.get(at - 1)), (Some(a), Some(b)) if before(a, b)) {
            list.swap(at, at - 1);
            at -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn behaves_as_the_standard_map(steps in proptest::collection::vec(("[a-d]{0,2}", any::<u8>(), any::<bool>()), 0..60)) {
            let (mut table, mut map) = (Table::default(), BTreeMap::new());
            for (key, value, keep) in steps {
                if keep {
                    *table.entry(&key) = value;
                    map.insert(key, value);
                } else {
                    table.remove(&key);
                    map.remove(&key);
                }
            }
            prop_assert!(table.iter().eq(map.iter()));
            prop_assert!(map.iter().all(|(key, value)| table.get(key) == Some(value)));
            prop_assert_eq!(table.get("absent"), None);
            prop_assert_eq!(Table::from_entries(map.into_iter().rev().collect()), table);
        }

        #[test]
        fn sorts_as_the_standard_sort(list in proptest::collection::vec(0_u8..20, 0..40)) {
            let mut ours: Vec<_> = list.into_iter().enumerate().collect();
            let mut theirs = ours.clone();
            sort_small(&mut ours, |a, b| a.1 < b.1);
            theirs.sort_by_key(|item| item.1);
            prop_assert_eq!(ours, theirs);
        }
    }
}
