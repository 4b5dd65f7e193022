//! Lists that keep their latest entries.

/// Drops from the front what is over `max`.
pub(crate) fn keep_latest<T>(list: &mut Vec<T>, max: usize) {
    let surplus = list.len().saturating_sub(max);
    list.drain(..surplus);
}
