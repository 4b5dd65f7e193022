//! Lists that keep their latest entries, and maps that keep their greatest.

use std::cmp::Ordering;
use std::collections::BTreeMap;

/// Drops the least values while a map has more than `max`; of equal ones those with the first keys. Returns them.
pub(crate) fn keep_greatest<V>(
    map: &mut BTreeMap<String, V>,
    max: usize,
    order: impl Fn(&V, &V) -> Ordering,
) -> Vec<V> {
    let mut dropped = Vec::new();
    while map.len() > max {
        let least = map.iter().min_by(|(_, one), (_, other)| order(one, other)).map(|(key, _)| key.clone());
        dropped.extend(least.and_then(|key| map.remove(&key)));
    }
    dropped
}

/// Drops from the front what is over `max`.
pub fn keep_latest<T>(list: &mut Vec<T>, max: usize) {
    let surplus = list.len().saturating_sub(max);
    list.drain(..surplus);
}
